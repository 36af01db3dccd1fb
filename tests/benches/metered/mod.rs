//! The store as AWS has it, one conditional put a record, past the proxy that counts units.

use aws::{DynamoStore, Writes};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use sim::Meter;

pub(crate) fn store(meter: &Meter) -> DynamoStore {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(&meter.url)
        .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
        .build();
    DynamoStore::new(aws_sdk_dynamodb::Client::from_conf(config), "sei-github", Writes::Single)
}
