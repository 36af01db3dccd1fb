//! Tokens from Secrets Manager: the bare token, or JSON with `token` or `tokens`. Never shows what it read.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use serde_json::Value;

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the secret {id} cannot be read: {why}. Check that it exists and that the role may read it")]
    Unreadable { id: String, why: String },
    #[error("the secret {id} holds no token: put the token itself into it, or JSON like {{\"token\": \"…\"}}")]
    Empty { id: String },
}

pub async fn read_tokens(client: &Client, id: &str) -> Result<Vec<String>, SecretError> {
    let answer = client.get_secret_value().secret_id(id).send().await;
    let answer = answer.map_err(|error| SecretError::Unreadable { id: id.to_owned(), why: DisplayErrorContext(&error).to_string() })?;
    let tokens = parse(answer.secret_string.as_deref().unwrap_or_default());
    if tokens.is_empty() { Err(SecretError::Empty { id: id.to_owned() }) } else { Ok(tokens) }
}

fn parse(text: &str) -> Vec<String> {
    let text = text.trim();
    let tokens = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => {
            let many = fields.get("tokens").and_then(Value::as_array).into_iter().flatten();
            many.chain(fields.get("token")).filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => vec![text.to_owned()],
    };
    tokens.into_iter().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_secret_may_be_bare_or_json() {
        assert_eq!(parse(" abc\n"), ["abc"]);
        assert_eq!(parse(r#"{"token": "abc"}"#), ["abc"]);
        assert_eq!(parse(r#"{"tokens": ["abc", "def"]}"#), ["abc", "def"]);
        assert!(parse("").is_empty() && parse("{}").is_empty());
    }
}
