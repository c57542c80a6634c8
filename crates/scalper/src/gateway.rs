//! What API Gateway does for partners: it counts and throttles. The partners table recognises callers.

use std::future::Future;

/// Requests per day, unless a command sets another number.
pub const REQUESTS_PER_DAY: i32 = 100_000;

/// A usage plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Requests a second.
    pub rate: u32,
    /// Requests at once.
    pub burst: u32,
    /// Requests in a day; `None`: as it is, or [`REQUESTS_PER_DAY`] for a new plan.
    pub requests_per_day: Option<i32>,
}

/// An API Gateway key, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayKey {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A usage plan as it is at API Gateway, with its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanKeys {
    /// The plan's name.
    pub plan: String,
    /// The ids of the keys whose requests it counts.
    pub keys: Vec<String>,
}

/// A call that did not succeed: what was being done, and the service's code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {code}")]
pub struct GatewayError {
    /// What was being done.
    pub doing: &'static str,
    /// The service's code, or what was found.
    pub code: String,
}

/// Plans and keys. Each call may be repeated.
pub trait Gateway: Sync {
    /// Returns the address of the API, which partners put before `/v1`.
    fn address(&self) -> impl Future<Output = Result<String, GatewayError>> + Send;
    /// Makes or changes the plan with this name, and returns its id.
    fn put_plan(&self, plan: &Plan) -> impl Future<Output = Result<String, GatewayError>> + Send;
    /// Makes a key with this value, and returns its id. API Gateway shows the value to everybody who may read keys.
    fn create_key(
        &self,
        name: &str,
        value: &str,
    ) -> impl Future<Output = Result<String, GatewayError>> + Send;
    /// Counts a key's requests under a plan.
    fn attach_key(&self, plan: &str, key: &str) -> impl Future<Output = Result<(), GatewayError>> + Send;
    /// Returns the keys whose names begin so.
    fn keys(&self, prefix: &str) -> impl Future<Output = Result<Vec<GatewayKey>, GatewayError>> + Send;
    /// Returns the usage plans whose names begin so, with the keys of each.
    fn plans(&self, prefix: &str) -> impl Future<Output = Result<Vec<PlanKeys>, GatewayError>> + Send;
    /// Deletes a key; one that is not there is deleted.
    fn delete_key(&self, id: &str) -> impl Future<Output = Result<(), GatewayError>> + Send;
}
