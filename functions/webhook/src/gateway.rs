//! API Gateway's shape of a request and an answer: payload format 2.0, of HTTP APIs and function URLs.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use crate::{Answer, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub is_base64_encoded: bool,
    pub request_context: Context,
}

#[derive(Debug, Deserialize)]
pub struct Context {
    pub http: Http,
}

#[derive(Debug, Deserialize)]
pub struct Http {
    pub method: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    pub status_code: u16,
    pub headers: BTreeMap<&'static str, &'static str>,
    pub body: String,
}

impl Event {
    /// None if it says that it is base64, and is not.
    #[must_use]
    pub fn request(self) -> Option<Request> {
        let headers: BTreeMap<String, String> = self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded { Bytes::from(STANDARD.decode(body).ok()?) } else { Bytes::from(body) };
        Some(Request {
            method: self.request_context.http.method,
            content_type: header("content-type"),
            signature: header("x-hub-signature-256"),
            event: header("x-github-event"),
            delivery: header("x-github-delivery"),
            hook: header("x-github-hook-id"),
            body,
        })
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        Self { status_code: answer.status, headers: BTreeMap::from([("content-type", "application/json"), ("cache-control", "no-store")]), body: answer.body() }
    }
}

/// The answer to what API Gateway itself garbled.
#[must_use]
pub fn garbled() -> Answer {
    Answer { status: 400, message: "The body is not what its encoding says.".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_same_bytes_in_either_encoding_and_headers_are_found_in_any_case() {
        let event = |body: &str, base64: bool| -> Option<Request> {
            let text = serde_json::json!({ "version": "2.0", "headers": { "X-GitHub-Event": "issues", "x-hub-signature-256": "s" }, "body": body,
                "isBase64Encoded": base64, "requestContext": { "http": { "method": "POST", "path": "/webhook" } } });
            serde_json::from_value::<Event>(text).ok()?.request()
        };
        let plain = event("{\"a\": \"ü\"}", false);
        let encoded = event(&STANDARD.encode("{\"a\": \"ü\"}"), true);
        assert_eq!(plain.as_ref().map(|request| &request.body), encoded.as_ref().map(|request| &request.body));
        assert_eq!(encoded.map(|request| (request.event, request.signature)), Some(("issues".to_owned(), "s".to_owned())));
        assert!(event("no base64!", true).is_none());
    }
}
