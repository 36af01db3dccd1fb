//! A record's fields as one line of text, in the order of the schema: for entities that there are very many of and only
//! we read. Half as long as JSON, and nothing in it needs an escape when it travels inside of JSON. Knows no item.

use engine::entities::{Field, Kind};
use serde_json::{Map, Value};

/// Between two values. In texts it is `\p`, a backslash `\b`, and a text without a letter `\e`; null is nothing at all.
const BETWEEN: char = '|';

/// The line; none if it would not come back as it was.
pub(crate) fn line(schema: &[Field], fields: &Map<String, Value>) -> Option<String> {
    let mut line = String::new();
    let mut told = 0;
    for (index, field) in schema.iter().enumerate() {
        if index > 0 {
            line.push(BETWEEN);
        }
        let value = fields.get(field.name).unwrap_or(&Value::Null);
        told += usize::from(fields.contains_key(field.name));
        match (field.kind, value) {
            (_, Value::Null) => {}
            (Kind::Integer, Value::Number(number)) if number.is_u64() => line.push_str(&number.to_string()),
            (Kind::Boolean, Value::Bool(flag)) => line.push(if *flag { 't' } else { 'f' }),
            (Kind::Text | Kind::Time, Value::String(text)) if text.is_empty() => line.push_str("\\e"),
            (Kind::Text | Kind::Time, Value::String(text)) => text.chars().for_each(|letter| match letter {
                BETWEEN => line.push_str("\\p"),
                '\\' => line.push_str("\\b"),
                letter => line.push(letter),
            }),
            _ => return None,
        }
    }
    (told == fields.len()).then_some(line)
}

/// The fields of a line, without those that are null. Fields that were added to the schema since are null.
pub(crate) fn fields(schema: &[Field], line: &str) -> Map<String, Value> {
    let told = schema.iter().zip(line.split(BETWEEN)).filter(|(_, text)| !text.is_empty());
    told.filter_map(|(field, text)| Some((field.name.to_owned(), value(field.kind, text)?))).collect()
}

fn value(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Integer => text.parse::<u64>().ok().map(Value::from),
        Kind::Boolean => Some(Value::Bool(text == "t")),
        _ if text.contains('\\') => Some(text.replace("\\e", "").replace("\\p", "|").replace("\\b", "\\").into()),
        _ => Some(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::entities::STAGE_SIGHTINGS;
    use serde_json::json;

    fn there_and_back(value: Value) -> Option<Value> {
        let Value::Object(given) = value else { return None };
        Some(Value::Object(fields(STAGE_SIGHTINGS.fields, &line(STAGE_SIGHTINGS.fields, &given)?)))
    }

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "|", "\\", "\\p", "\\b", "\\e", "\\\\e|b", "a|b|", "Zürich \u{1f680}", "\"quoted\"", "\n"] {
            let row = json!({ "project": 7, "what": text, "to": text, "automated": true, "from_known": false, "event": "last" });
            assert_eq!(there_and_back(row.clone()), Some(row), "{text:?}");
        }
        assert_eq!(there_and_back(json!({ "project": null, "what": "moved" })), Some(json!({ "what": "moved" })));
    }

    #[test]
    fn what_would_not_come_back_is_not_written() {
        for row in [json!({ "project": "seven" }), json!({ "project": -1 }), json!({ "what": ["moved"] }), json!({ "unknown": 1 })] {
            assert_eq!(there_and_back(row.clone()), None, "{row}");
        }
    }
}
