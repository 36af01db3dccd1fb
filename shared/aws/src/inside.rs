//! Hands the SDK's requests to a DynamoDB in this process, without a socket between them: nobody else on this machine can
//! reach the table, and a request costs less. Everything else of the SDK (serializing, retrying) is as in AWS, but signing.

use aws_sdk_dynamodb::config::RuntimeComponents;

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// The operation is named by this header, after the API's version.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html>
const TARGET: &str = "x-amz-target";

/// Bytes of keys.
const MANY: usize = 4000;

#[derive(Clone)]
pub(crate) struct Inside(pub(crate) Database);

impl fmt::Debug for Inside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Inside")
    }
}

impl HttpClient for Inside {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Inside {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.0.clone();
        HttpConnectorFuture::new(async move {
            // Many rows take long enough for somebody else to unpack others meanwhile.
            let many = operation(&request) == "BatchGetItem" && request.body().bytes().is_some_and(|body| body.len() > MANY);
            if many || operation(&request) == "Query" {
                let answered = tokio::task::spawn_blocking(move || answer(&database, &request)).await;
                return answered.map_err(|error| ConnectorError::other(error.into(), None))?;
            }
            answer(&database, &request)
        })
    }
}

fn operation(request: &HttpRequest) -> &str {
    request.headers().get(TARGET).and_then(|target| target.rsplit('.').next()).unwrap_or_default()
}

fn answer(database: &Database, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let body = request.body().bytes().unwrap_or_default();
    let answered = match operation(request) {
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        other => Err(DynoxideError::ValidationException(format!("{other} is not used here"))),
    };
    let (status, text) = match answered {
        Ok(text) => (200, text),
        Err(error) => (error.status_code(), error.to_json()),
    };
    let status = status.try_into().map_err(|error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(text)))
}

fn run<T: DeserializeOwned, U: Serialize>(body: &[u8], act: impl FnOnce(T) -> dynoxide::Result<U>) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    serde_json::to_string(&act(request)?).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
