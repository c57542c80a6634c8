//! Turns an event into a proxy response, and records the request.

use bytes::Bytes;
use runtime::caught;
use serde_json::Value;
use store::Spent;
use telemetry::{Label, Occurrence, RequestRecord};

use crate::call::{ApiCall, seconds};
use crate::caller::{Caller, role_of};
use crate::event::{ApiRequest, RouteTree};
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::route::{Route, RouteAccess, RouteMatch, find};
use crate::{
    ApiResponse, ApiStore, Ingest, ProxyResponse, check, feeds, files, history, media, receipts, records,
    replay, status, uploads,
};

/// The OpenAPI document, as it is committed. A test holds it to the routes and types.
const OPENAPI: &str = include_str!("../../../infra/openapi.json");

/// Seconds after which a request is worth repeating when a service failed.
const RETRY_SECONDS: u64 = 5;

impl<S: ApiStore> Ingest<S> {
    /// Handles one event. Every outcome is a response.
    pub async fn handle(&self, event: Value) -> ProxyResponse {
        let began = self.host.now();
        let mut record = RequestRecord { operation: "unknown", ..RequestRecord::default() };
        let (response, id, origin) = match ApiRequest::decode(event) {
            Err((problem, id)) => {
                record.code = problem.code.as_str();
                (ApiResponse::problem(&problem, &id), id, None)
            }
            Ok(request) => {
                let (id, origin) = (request.id.clone(), self.origin(&request));
                let response = match caught(self.serve(request, &mut record)).await {
                    Some(Ok(response)) => response,
                    Some(Err(rejected)) => {
                        if let RequestError::Service(error) = &rejected {
                            self.count(Occurrence::service_failed(error.is_denied()));
                        }
                        rejection(rejected, &id, &mut record)
                    }
                    None => {
                        self.count(Occurrence::Panic);
                        tracing::error!(
                            operation = record.operation,
                            request = id,
                            "a defect in the API: the operation panicked"
                        );
                        let problem = ProblemDetails::new(
                            ProblemCode::Internal,
                            "the request failed because of a defect in this service: \
                            give the operator the `requestId`",
                        );
                        rejection(problem.into(), &id, &mut record)
                    }
                };
                (response, id, origin)
            }
        };
        record.status = response.status;
        let now = self.host.now();
        record.duration_ms = now.saturating_sub(began);
        record.log(&id);
        (self.host.metric)(&record.metric(&self.settings.metrics, now));
        response.seal(&id, origin.as_deref())
    }

    fn count(&self, occurrence: Occurrence) {
        (self.host.metric)(&occurrence.metric(&self.settings.metrics, self.host.now()));
    }

    async fn serve(
        &self,
        mut request: ApiRequest,
        record: &mut RequestRecord,
    ) -> Result<ApiResponse, RequestError> {
        let segments = std::mem::take(&mut request.segments);
        let method = std::mem::take(&mut request.method);
        if method == "OPTIONS" {
            record.operation = "preflight";
            return Ok(ApiResponse::preflight());
        }
        let found = find(&method, &segments);
        if let RouteMatch::Route(definition, _) = &found
            && definition.access == RouteAccess::Open
        {
            record.operation = definition.operation;
            request.allow_parameters(definition.query)?;
            return Ok(open(definition.route));
        }
        let now_ms = self.host.now();
        let caller = self.identify(&request, now_ms).await?;
        record.partner = Label::new(caller.partner());
        record.credential = Label::new(caller.credential());
        if let Spent::Wait { milliseconds } =
            self.store.take_request(caller.partner(), caller.limits(), now_ms).await?
        {
            return Err(ProblemDetails::new(
                ProblemCode::TooManyRequests,
                "the partner's rate of requests is reached: send the same request again later, and fewer at once",
            )
            .after(seconds(milliseconds))
            .into());
        }
        let (definition, captured) = match found {
            RouteMatch::Route(definition, captured) => (definition, captured),
            RouteMatch::OtherMethods(methods) => return Err(other_methods(&methods).into()),
            RouteMatch::Nothing => return Err(ProblemDetails::not_found().into()),
        };
        record.operation = definition.operation;
        if !caller.may(definition.access) {
            return Err(ProblemDetails::new(
                ProblemCode::Forbidden,
                "the credential lacks the scope of this operation: ask the operator for a credential that has it",
            )
            .into());
        }
        request.allow_parameters(definition.query)?;
        let body = match definition.route.body() {
            Some(kind) => {
                media::no_form(request.header("content-type")?, kind)?;
                request.take_body()?
            }
            None => Bytes::new(),
        };
        record.bytes = body.len() as u64;
        let call = ApiCall {
            store: &self.store,
            contracts: &self.contracts,
            settings: &self.settings,
            host: &self.host,
            caller: &caller,
            request: &request,
            operation: definition.operation,
            captured: &captured,
            body,
            now_ms,
        };
        dispatch(definition.route, &call).await
    }

    /// Identifies the caller.
    async fn identify(&self, request: &ApiRequest, now_ms: u64) -> Result<Caller, RequestError> {
        let unauthorized = || {
            ProblemDetails::new(
                ProblemCode::Unauthorized,
                "missing or unknown credential: send an API key in `x-api-key`, or below /oauth a bearer token in \
                `authorization`",
            )
        };
        match request.tree {
            RouteTree::Key | RouteTree::Token => {
                let caller = request.authorizer.as_ref().and_then(Caller::from_authorizer);
                Ok(caller.ok_or_else(unauthorized)?)
            }
            RouteTree::Role if !self.settings.allow_roles => Err(ProblemDetails::new(
                ProblemCode::Forbidden,
                "IAM signatures are not accepted by this API: send an API key in `x-api-key` to /v1",
            )
            .into()),
            RouteTree::Role => {
                let role = request.signer.as_deref().and_then(role_of).ok_or_else(unauthorized)?;
                let credential = self.store.role(&role).await?.ok_or_else(unauthorized)?;
                let partner = self.store.partner(&credential.partner).await?.ok_or_else(unauthorized)?;
                Ok(Caller::from_role(credential, &partner, now_ms).ok_or_else(unauthorized)?)
            }
        }
    }

    fn origin(&self, request: &ApiRequest) -> Option<String> {
        let origin = request.header("origin").ok()??;
        self.settings.origins.iter().find(|allowed| *allowed == origin).cloned()
    }
}

fn open(route: Route) -> ApiResponse {
    match route {
        Route::OpenApi => ApiResponse::text(200, "application/json", OPENAPI.to_owned()),
        _ => ApiResponse::text(200, "application/json", r#"{"status":"ok"}"#.to_owned()),
    }
}

async fn dispatch<S: ApiStore>(route: Route, call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    match route {
        Route::SendFile => Box::pin(files::send(call)).await,
        Route::CheckFile => Box::pin(check::check(call)).await,
        Route::OpenUpload => Box::pin(uploads::open(call)).await,
        Route::ReadUpload => Box::pin(uploads::read(call)).await,
        Route::SignParts => Box::pin(uploads::sign_parts(call)).await,
        Route::CompleteUpload => Box::pin(uploads::complete(call)).await,
        Route::AbortUpload => Box::pin(uploads::abort(call)).await,
        Route::ListFiles => Box::pin(status::list(call)).await,
        Route::ReadFile => Box::pin(status::read(call)).await,
        Route::ReadReceipt => Box::pin(receipts::receipt(call)).await,
        Route::ReadRejects => Box::pin(receipts::rejects(call)).await,
        Route::ReadHistory => Box::pin(history::read(call)).await,
        Route::ReplayFile => Box::pin(replay::ask(call)).await,
        Route::ListFeeds => Box::pin(feeds::list(call)).await,
        Route::ReadContract => Box::pin(feeds::contract(call)).await,
        Route::ReadRecord => Box::pin(records::read(call)).await,
        Route::Health | Route::OpenApi => Ok(open(route)),
    }
}

fn other_methods(methods: &[&str]) -> ProblemDetails {
    let allowed = methods.join(", ");
    let detail = format!("this path does not have the method; it has: {allowed}");
    ProblemDetails { allow: Some(allowed), ..ProblemDetails::new(ProblemCode::MethodNotAllowed, detail) }
}

/// Answers a request that was not carried out. A failure of a service is logged here only; its cause is not in the
/// answer.
fn rejection(rejected: RequestError, request: &str, record: &mut RequestRecord) -> ApiResponse {
    let problem = match rejected {
        RequestError::Problem(problem) => problem,
        RequestError::Service(error) => {
            tracing::error!(
                operation = record.operation,
                request,
                failed = ?error.operation,
                code = error.code.as_str(),
                service_request = error.request_id.as_deref().unwrap_or_default(),
                "a service that the request needs failed"
            );
            ProblemDetails::new(
                ProblemCode::Unavailable,
                "a required service did not answer: send the same request again later",
            )
            .after(RETRY_SECONDS)
        }
    };
    record.code = problem.code.as_str();
    ApiResponse::problem(&problem, request)
}
