//! What Lambda tells a function by variables, as the SDK's configuration. Looks nowhere else: the SDK's usual chain would
//! bring files, other services and their certificates into a function that has none of them to ask.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::collections::BTreeMap;

/// Region and credentials, as Lambda gives them; and of the SDK's own variables `AWS_ENDPOINT_URL`, the same of a service such
/// as `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
/// <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings>
pub(crate) fn config() -> SdkConfig {
    config_of(std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok())).collect())
}

fn config_of(variables: BTreeMap<String, String>) -> SdkConfig {
    let given = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
    let on = |name: &str| given(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(given("AWS_REGION").or_else(|| given("AWS_DEFAULT_REGION")).map(Region::new))
        .use_fips(on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(on("AWS_USE_DUALSTACK_ENDPOINT"))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .service_config(Endpoints(variables.into_iter().filter(|(name, url)| name.starts_with("AWS_ENDPOINT_URL") && !url.is_empty()).collect()))
        .build()
}

/// Addresses by variable.
#[derive(Debug)]
struct Endpoints(BTreeMap<String, String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().replace([' ', '-'], "_").to_uppercase();
        self.0.get(&format!("{}_{service}", key.env())).or_else(|| self.0.get(key.env())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_told_its_region_and_where_services_are() {
        let of = |variables: &[(&str, &str)]| config_of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        let asks = |config: &SdkConfig, service| {
            let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
            config.service_config().and_then(|endpoints| endpoints.load_config(key.ok()?))
        };
        let usual = of(&[("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", "")]);
        assert_eq!((usual.region().map(Region::as_ref), usual.use_fips(), usual.use_dual_stack()), (Some("eu-west-1"), Some(false), Some(false)));
        assert_eq!(asks(&usual, "DynamoDB"), None);
        let other = of(&[
            ("AWS_DEFAULT_REGION", "us-gov-west-1"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets"),
        ]);
        assert_eq!((other.region().map(Region::as_ref), other.use_fips()), (Some("us-gov-west-1"), Some(true)));
        assert_eq!(asks(&other, "Secrets Manager").as_deref(), Some("http://secrets"));
        assert_eq!(asks(&other, "SQS").as_deref(), Some("http://all"));
    }
}
