//! API Gateway's shape of a request and an answer (payload format 2.0), as a router takes and gives them. Decides nothing.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tower::ServiceExt;

/// Lambda hands on no larger answer.
const LARGEST: usize = 5_500_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(default)]
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    domain_name: String,
    http: Http,
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    #[serde(default)]
    jwt: Option<Value>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub status_code: u16,
    pub headers: BTreeMap<String, String>,
    pub cookies: Vec<String>,
    pub body: String,
    pub is_base64_encoded: bool,
}

/// What API Gateway, and no browser, says of a request.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// The API's own name, or the one that was given to it.
    pub(crate) host: String,
    /// Whether its JWT authorizer has verified the token in the header `Authorization`.
    pub(crate) verified: bool,
}

/// The answer to a request, whatever it is.
pub async fn answer(router: Router, event: Event) -> Answer {
    let Some(request) = event.request() else { return plain(StatusCode::BAD_REQUEST, "The request cannot be read.") };
    let Ok(response) = router.oneshot(request).await;
    let (head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "The answer is larger than a function can give. Ask for less, or use the command.");
    };
    let mut told = Answer { status_code: head.status.as_u16(), ..Answer::default() };
    for (name, value) in &head.headers {
        let Ok(value) = value.to_str() else { continue };
        if name == header::SET_COOKIE {
            told.cookies.push(value.to_owned());
        } else {
            told.headers.entry(name.to_string()).and_modify(|all| *all = format!("{all}, {value}")).or_insert_with(|| value.to_owned());
        }
    }
    match String::from_utf8(body.into()) {
        Ok(text) => told.body = text,
        Err(bytes) => (told.body, told.is_base64_encoded) = (STANDARD.encode(bytes.as_bytes()), true),
    }
    told
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Answer { status_code: status.as_u16(), headers, body: text.to_owned(), ..Answer::default() }
}

impl Event {
    /// None if it is not what it says.
    fn request(self) -> Option<Request<Body>> {
        let context = self.request_context;
        let mut uri = encoded(&self.raw_path);
        if !self.raw_query_string.is_empty() {
            uri = format!("{uri}?{}", self.raw_query_string);
        }
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
        let mut request = Request::builder().method(context.http.method.as_str()).uri(uri).body(Body::from(body)).ok()?;
        let headers = request.headers_mut();
        for (name, value) in self.headers {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
            headers.append(name, value);
        }
        for cookie in self.cookies {
            headers.append(header::COOKIE, HeaderValue::try_from(cookie).ok()?);
        }
        let verified = context.authorizer.is_some_and(|authorizer| authorizer.jwt.is_some_and(|jwt| jwt.is_object()));
        request.extensions_mut().insert(Arrived { host: context.domain_name, verified });
        Some(request)
    }
}

/// A path as it stood in the address: API Gateway decodes everything in it but percent signs.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for (place, byte) in path.bytes().enumerate() {
        let escaped = byte == b'%' && path.as_bytes().get(place + 1..place + 3).is_some_and(|two| two == b"25");
        if escaped || byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::any;
    use serde_json::json;

    async fn ask(event: Value) -> Option<Answer> {
        let echo = |request: Request<Body>| async move {
            let arrived = request.extensions().get::<Arrived>().cloned().map(|arrived| (arrived.host, arrived.verified));
            let cookies: Vec<_> = request.headers().get_all(header::COOKIE).iter().filter_map(|one| one.to_str().ok()).collect();
            let seen = format!("{} {} {arrived:?} {cookies:?}", request.method(), request.uri());
            let body = to_bytes(request.into_body(), 100).await.unwrap_or_default();
            ([(header::SET_COOKIE, "a=1"), (header::CONTENT_TYPE, "text/plain")], [seen.as_bytes(), b" ", &body].concat())
        };
        let event: Event = serde_json::from_value(event).ok()?;
        Some(answer(Router::new().fallback(any(echo)), event).await)
    }

    #[tokio::test]
    async fn a_request_is_what_the_browser_asked_and_only_api_gateway_says_that_a_token_is_good() {
        let context = |more: Value| json!({ "domainName": "a.example", "http": { "method": "POST" }, "authorizer": more });
        let event = |context: Value| {
            json!({ "rawPath": "/console/of/ü b%252F\"", "rawQueryString": "a=%20b&c", "cookies": ["x=1", "y=2"], "headers": { "host": "evil.example", "authorizer": "jwt" },
                "body": STANDARD.encode("fields"), "isBase64Encoded": true, "requestContext": context })
        };
        let told = ask(event(context(json!({ "jwt": { "claims": {} } })))).await;
        let told = told.map(|told| (told.status_code, told.cookies, told.body)).unwrap_or_default();
        let seen = r#"POST /console/of/%C3%BC%20b%252F%22?a=%20b&c Some(("a.example", true)) ["x=1", "y=2"] fields"#;
        assert_eq!(told, (200, vec!["a=1".to_owned()], seen.to_owned()));
        for none in [Value::Null, json!({}), json!({ "jwt": null }), json!({ "lambda": { "jwt": {} } })] {
            let told = ask(event(context(none))).await.unwrap_or_default();
            assert!(told.body.contains("false"), "{}", told.body);
        }
        let mut garbled = event(context(Value::Null));
        garbled["body"] = json!("no base64!");
        assert_eq!(ask(garbled).await.map(|told| told.status_code), Some(400));
    }
}
