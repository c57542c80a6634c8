//! The [`Gateway`] on AWS.

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::config::retry::RetryConfig;
use aws_sdk_apigateway::config::timeout::TimeoutConfig;
use aws_sdk_apigateway::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigateway::types::{
    ApiStage, Op, PatchOperation, QuotaPeriodType, QuotaSettings, ThrottleSettings, UsagePlan,
};
use std::time::Duration;
use store::aws::SdkConfig;

use crate::gateway::{Gateway, GatewayError, GatewayKey, Plan, PlanKeys, REQUESTS_PER_DAY};

/// The stage of the API that partners call (`template.yaml`).
const STAGE: &str = "api";

/// One call with all its attempts. API Gateway takes five management calls every two seconds, and one plan or key a
/// second, for each account ("Quotas for creating and managing a REST API"): attempts wait for that.
const OPERATION: Duration = Duration::from_mins(1);

/// Attempts of one call.
const ATTEMPTS: u32 = 6;

/// The plans and keys of one REST API.
pub struct ApiGateway {
    client: Client,
    api: String,
    region: String,
    endpoint: Option<String>,
}

impl ApiGateway {
    /// Makes the REST API with this name.
    #[must_use]
    pub fn new(config: &SdkConfig, api: String) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(OPERATION).build();
        let region = config.region().map_or_else(String::new, ToString::to_string);
        let endpoint = config.endpoint_url().map(str::to_owned);
        let config = aws_sdk_apigateway::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build();
        Self { client: Client::from_conf(config), api, region, endpoint }
    }

    /// Returns the id of the API. Two with one name are an error: it is not known which one partners call.
    async fn api_id(&self) -> Result<String, GatewayError> {
        let doing = "looking for the API of the stack";
        let mut pages = self.client.get_rest_apis().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(api) = pages.next().await {
            let api = api.map_err(|error| failed(doing, &error))?;
            if api.name.as_deref() == Some(&self.api) {
                found.extend(api.id);
            }
        }
        match <[String; 1]>::try_from(found) {
            Ok([id]) => Ok(id),
            Err(found) => Err(GatewayError {
                doing,
                code: format!("found {} named {}, expected one", found.len(), self.api),
            }),
        }
    }

    async fn plan(&self, name: &str) -> Result<Option<UsagePlan>, GatewayError> {
        let mut pages = self.client.get_usage_plans().into_paginator().items().send();
        while let Some(plan) = pages.next().await {
            let plan = plan.map_err(|error| failed("looking for the usage plan", &error))?;
            if plan.name.as_deref() == Some(name) {
                return Ok(Some(plan));
            }
        }
        Ok(None)
    }

    /// Returns the ids of the keys of a plan.
    async fn keys_of(&self, plan: String) -> Result<Vec<String>, GatewayError> {
        let mut pages = self.client.get_usage_plan_keys().usage_plan_id(plan).into_paginator().items().send();
        let mut keys = Vec::new();
        while let Some(key) = pages.next().await {
            keys.extend(key.map_err(|error| failed("looking for the keys of a usage plan", &error))?.id);
        }
        Ok(keys)
    }

    async fn create_plan(&self, plan: &Plan, api: String) -> Result<String, GatewayError> {
        let doing = "making the usage plan";
        let (rate, burst) = (f64::from(plan.rate), count(plan.burst));
        let per_day = plan.requests_per_day.unwrap_or(REQUESTS_PER_DAY);
        let made = self.client.create_usage_plan().name(&plan.name);
        let made = made
            .api_stages(ApiStage::builder().api_id(api).stage(STAGE).build())
            .throttle(ThrottleSettings::builder().rate_limit(rate).burst_limit(burst).build())
            .quota(QuotaSettings::builder().limit(per_day).period(QuotaPeriodType::Day).build());
        let made = made.send().await.map_err(|error| failed(doing, &error))?;
        made.id.ok_or_else(|| unnamed(doing))
    }
}

impl Gateway for ApiGateway {
    async fn address(&self) -> Result<String, GatewayError> {
        Ok(address(&self.api_id().await?, &self.region, self.endpoint.as_deref()))
    }

    async fn put_plan(&self, plan: &Plan) -> Result<String, GatewayError> {
        let api = self.api_id().await?;
        let Some(found) = self.plan(&plan.name).await? else { return self.create_plan(plan, api).await };
        let doing = "changing the usage plan";
        let id = found.id.clone().ok_or_else(|| unnamed(doing))?;
        let changes = changes(&found, plan, &api);
        if !changes.is_empty() {
            let update = self.client.update_usage_plan().usage_plan_id(&id);
            let update = update.set_patch_operations(Some(changes)).send().await;
            update.map_err(|error| failed(doing, &error))?;
        }
        Ok(id)
    }

    async fn create_key(&self, name: &str, value: &str) -> Result<String, GatewayError> {
        let doing = "making the key";
        let made = self.client.create_api_key().name(name).value(value).enabled(true).send().await;
        made.map_err(|error| failed(doing, &error))?.id.ok_or_else(|| unnamed(doing))
    }

    async fn attach_key(&self, plan: &str, key: &str) -> Result<(), GatewayError> {
        let made = self.client.create_usage_plan_key().usage_plan_id(plan).key_id(key).key_type("API_KEY");
        match made.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConflictException") => Ok(()),
            Err(error) => Err(failed("counting the key under the usage plan", &error)),
        }
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<GatewayKey>, GatewayError> {
        let mut pages = self.client.get_api_keys().name_query(prefix).into_paginator().items().send();
        let mut keys = Vec::new();
        while let Some(key) = pages.next().await {
            let key = key.map_err(|error| failed("looking for keys", &error))?;
            if let (Some(id), Some(name)) = (key.id, key.name) {
                keys.push(GatewayKey { id, name });
            }
        }
        Ok(keys)
    }

    async fn plans(&self, prefix: &str) -> Result<Vec<PlanKeys>, GatewayError> {
        let mut pages = self.client.get_usage_plans().into_paginator().items().send();
        let mut plans = Vec::new();
        while let Some(plan) = pages.next().await {
            let plan = plan.map_err(|error| failed("looking for usage plans", &error))?;
            let (Some(id), Some(name)) = (plan.id, plan.name) else { continue };
            if name.starts_with(prefix) {
                plans.push(PlanKeys { keys: self.keys_of(id).await?, plan: name });
            }
        }
        Ok(plans)
    }

    async fn delete_key(&self, id: &str) -> Result<(), GatewayError> {
        match self.client.delete_api_key().api_key(id).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NotFoundException") => Ok(()),
            Err(error) => Err(failed("deleting the key", &error)),
        }
    }
}

/// Returns the changes that a plan needs.
fn changes(found: &UsagePlan, plan: &Plan, api: &str) -> Vec<PatchOperation> {
    let change =
        |op: Op, path: &str, value: String| PatchOperation::builder().op(op).path(path).value(value).build();
    let mut changes = Vec::new();
    let throttle = found.throttle.as_ref().map(|throttle| (throttle.rate_limit, throttle.burst_limit));
    if throttle != Some((f64::from(plan.rate), count(plan.burst))) {
        changes.push(change(Op::Replace, "/throttle/rateLimit", plan.rate.to_string()));
        changes.push(change(Op::Replace, "/throttle/burstLimit", plan.burst.to_string()));
    }
    let quota = found.quota.as_ref().map(|quota| quota.limit);
    let wanted = plan.requests_per_day.or(quota).unwrap_or(REQUESTS_PER_DAY);
    if quota != Some(wanted) {
        changes.push(change(Op::Replace, "/quota/limit", wanted.to_string()));
        changes.push(change(Op::Replace, "/quota/period", "DAY".to_owned()));
    }
    let mut stages = found.api_stages.iter().flatten();
    if !stages.any(|stage| stage.api_id.as_deref() == Some(api) && stage.stage.as_deref() == Some(STAGE)) {
        changes.push(change(Op::Add, "/apiStages", format!("{api}:{STAGE}")));
    }
    changes
}

/// Converts a number for API Gateway, which counts in `i32`. The command line accepts no larger one.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn unnamed(doing: &'static str) -> GatewayError {
    GatewayError { doing, code: "the answer has no id".to_owned() }
}

/// Returns the service's code only: a message of it may quote what was sent.
fn failed<E: ProvideErrorMetadata>(doing: &'static str, error: &SdkError<E>) -> GatewayError {
    let kind = match error {
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "no connection",
        _ => "no answer that could be read",
    };
    GatewayError { doing, code: error.code().unwrap_or(kind).to_owned() }
}

/// Returns the address of an API: AWS's own (`https://<api>.execute-api.<region>.<suffix>/<stage>`), or the emulator's.
fn address(api: &str, region: &str, endpoint: Option<&str>) -> String {
    if let Some(endpoint) = endpoint {
        return format!("{}/_aws/execute-api/{api}/{STAGE}", endpoint.trim_end_matches('/'));
    }
    // AWS::URLSuffix, "Pseudo parameters reference".
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{api}.execute-api.{region}.{suffix}/{STAGE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(requests_per_day: Option<i32>) -> Plan {
        Plan { name: "s.north".to_owned(), rate: 10, burst: 50, requests_per_day }
    }

    fn found(api: &str, rate: f64, limit: i32) -> UsagePlan {
        UsagePlan::builder()
            .api_stages(ApiStage::builder().api_id(api).stage(STAGE).build())
            .throttle(ThrottleSettings::builder().rate_limit(rate).burst_limit(50).build())
            .quota(QuotaSettings::builder().limit(limit).period(QuotaPeriodType::Day).build())
            .build()
    }

    fn changed(found: &UsagePlan, plan: &Plan) -> Vec<String> {
        let text = |change: &PatchOperation| {
            let value = change.value().unwrap_or_default();
            format!("{} {value}", change.path().unwrap_or_default())
        };
        changes(found, plan, "api1").iter().map(text).collect()
    }

    #[test]
    fn a_plan_is_changed_only_where_it_differs() {
        assert_eq!(changed(&found("api1", 10.0, 500), &plan(None)), [""; 0]);
        assert_eq!(
            changed(&found("api1", 20.0, 500), &plan(None)),
            ["/throttle/rateLimit 10", "/throttle/burstLimit 50"]
        );
        assert_eq!(
            changed(&found("api1", 10.0, 500), &plan(Some(7))),
            ["/quota/limit 7", "/quota/period DAY"]
        );
        assert_eq!(changed(&found("other", 10.0, 500), &plan(None)), ["/apiStages api1:api"]);
        let bare = changed(&UsagePlan::builder().build(), &plan(None));
        assert_eq!(bare.len(), 5, "{bare:?}");
    }
}
