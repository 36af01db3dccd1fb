//! Looks a stack up by its name, and its resources.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>

use super::{Stack, refused};
use crate::failure::Failure;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use std::collections::BTreeMap;

impl Stack {
    pub(crate) async fn find(name: &str) -> Result<Self, Failure> {
        let aws = aws::config().await;
        let Some(region) = aws.region().map(ToString::to_string) else {
            return Err(Failure::Usage("no AWS region is known. Set AWS_REGION, or AWS_PROFILE to a profile that has one".to_owned()));
        };
        let described = Client::new(&aws).describe_stacks().stack_name(name).send().await;
        let found = match described {
            Ok(described) => described.stacks.unwrap_or_default().into_iter().next(),
            Err(error) if error.code() == Some("ValidationError") => None,
            Err(error) => return Err(refused(&format!("the stack {name} cannot be looked up"), &error)),
        };
        let Some(found) = found else {
            return Err(Failure::Usage(format!("there is no stack {name} in {region}. `sam deploy --guided` makes one; AWS_REGION says where to look")));
        };
        let state = found.stack_status.as_ref().map(|state| state.as_str().to_owned()).unwrap_or_default();
        let outputs = found.outputs.unwrap_or_default();
        let parameters = found.parameters.unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            state,
            outputs: outputs.into_iter().filter_map(|one| Some((one.output_key?, one.output_value?))).collect(),
            parameters: parameters.into_iter().filter_map(|one| Some((one.parameter_key?, one.parameter_value?))).collect(),
            aws,
        })
    }

    /// Names that AWS gave to the resources of one type, by their names in the template.
    pub(crate) async fn resources(&self, kind: &str) -> Result<BTreeMap<String, String>, Failure> {
        let mut found = BTreeMap::new();
        let mut pages = Client::new(&self.aws).list_stack_resources().stack_name(&self.name).into_paginator().items().send();
        while let Some(one) = pages.next().await {
            let one = one.map_err(|error| refused(&format!("the resources of the stack {} cannot be listed", self.name), &error))?;
            if one.resource_type.as_deref() == Some(kind)
                && let (Some(logical), Some(physical)) = (one.logical_resource_id, one.physical_resource_id)
            {
                found.insert(logical, physical);
            }
        }
        Ok(found)
    }
}
