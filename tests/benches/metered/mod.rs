//! A table whose units are counted by partition key, as the table itself tells them. Changes nothing but that it asks for
//! the count. A write whose condition does not hold tells none and costs as much as another, and what is written in a
//! transaction costs twice as much as it does in AWS, where nothing is.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>

use aws::{DynamoStore, Embedded, Writes};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Of all requests so far.
#[derive(Default)]
pub(crate) struct Units {
    pub(crate) read: f64,
    pub(crate) write: f64,
    /// Writes by the partition key's first word, such as `issues` or `mark`.
    pub(crate) written_by: BTreeMap<String, f64>,
    /// The most that was written to one partition key within a second, and which that was.
    pub(crate) hottest: (f64, String),
    seconds: BTreeMap<String, (u64, f64)>,
}

/// Stands between the SDK and the table.
#[derive(Clone)]
pub(crate) struct Meter {
    client: SharedHttpClient,
    units: Arc<Mutex<Units>>,
    began: Instant,
}

impl fmt::Debug for Meter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Meter")
    }
}

impl Meter {
    pub(crate) fn of(table: &Embedded) -> Self {
        Self { client: table.client().config().http_client().unwrap(), units: Arc::default(), began: Instant::now() }
    }

    /// [`Writes::Single`] as in AWS, one conditional put a record, or quicker.
    pub(crate) fn store(&self, table: &Embedded, writes: Writes) -> DynamoStore {
        let config = table.client().config().to_builder().http_client(self.clone()).build();
        DynamoStore::new(Client::from_conf(config), "sei-github", writes)
    }

    /// What was used since this was last asked.
    pub(crate) fn take(&self) -> Units {
        std::mem::take(&mut self.units.lock().unwrap())
    }
}

impl HttpClient for Meter {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Metered(self.client.http_connector(settings, components), self.clone()))
    }
}

#[derive(Debug)]
struct Metered(SharedHttpConnector, Meter);

impl HttpConnector for Metered {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let asked = std::str::from_utf8(request.body().bytes().unwrap()).unwrap().to_owned();
        if !operation.ends_with("Table") {
            let more = asked.strip_suffix('}').map(|asked| format!("{asked},\"ReturnConsumedCapacity\":\"TOTAL\"}}"));
            *request.body_mut() = SdkBody::from(more.unwrap());
        }
        let (answering, meter) = (self.0.call(request), self.1.clone());
        HttpConnectorFuture::new(async move {
            let answer = answering.await?;
            let told = std::str::from_utf8(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
            let second = meter.began.elapsed().as_secs();
            meter.units.lock().unwrap().count(&operation, &asked, told, second);
            Ok(answer)
        })
    }
}

impl Units {
    /// Looks for the few words that matter: both bodies are large, and nobody else's but the SDK's and the table's.
    fn count(&mut self, operation: &str, asked: &str, told: &str, second: u64) {
        let number = |text: &str| text.split([',', '}']).next().and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0);
        let mut units: f64 = told.split("\"CapacityUnits\":").skip(1).map(number).sum();
        if matches!(operation, "Query" | "GetItem" | "BatchGetItem" | "Scan") {
            self.read += units;
            return;
        }
        match operation {
            "PutItem" if units == 0.0 => {
                let asked: Value = serde_json::from_str(asked).unwrap();
                units = f64::from(u32::try_from(attributes(&asked["Item"]).div_ceil(1024)).unwrap());
            }
            "TransactWriteItems" => units /= 2.0,
            _ => {}
        }
        self.write += units;
        let keys: BTreeSet<&str> = asked.split("\"pk\":{\"S\":\"").skip(1).filter_map(|text| text.split('"').next()).collect();
        let share = units / f64::from(u32::try_from(keys.len().max(1)).unwrap());
        for key in keys {
            *self.written_by.entry(key.split('#').next().unwrap_or_default().to_owned()).or_default() += share;
            let slot = self.seconds.entry(key.to_owned()).or_default();
            *slot = if slot.0 == second { (second, slot.1 + share) } else { (second, share) };
            if slot.1 > self.hottest.0 {
                self.hottest = (slot.1, key.to_owned());
            }
        }
    }
}

/// Bytes of a map of attributes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn attributes(map: &Value) -> usize {
    map.as_object().into_iter().flatten().map(|(name, value)| name.len() + size(value)).sum()
}

fn size(attribute: &Value) -> usize {
    let Some((kind, value)) = attribute.as_object().and_then(|one| one.iter().next()) else { return 1 };
    let length = value.as_str().map_or(0, str::len);
    match kind.as_str() {
        "S" => length,
        "N" => length.div_ceil(2) + 1,
        "B" => length * 3 / 4,
        "L" => 3 + value.as_array().into_iter().flatten().map(|one| 1 + size(one)).sum::<usize>(),
        "M" => 3 + value.as_object().map_or(0, serde_json::Map::len) + attributes(value),
        _ => 1,
    }
}
