//! The event of a REQUEST authorizer, read by hand so that no error text can quote a secret.
//!
//! Format: "Input to an API Gateway Lambda authorizer", Amazon API Gateway Developer Guide.

use serde_json::Value;

/// The tree of routes. It decides which kind of secret is read; the other kind is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteTree {
    /// `/v1/…`: an API key in `x-api-key`.
    Key,
    /// `/oauth/v1/…`: a bearer token in `Authorization`.
    Token,
}

impl RouteTree {
    /// Returns the beginning of its paths, without the stage.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Key => "v1",
            Self::Token => "oauth/v1",
        }
    }

    /// Returns the header that holds the secret, in lower case.
    fn header(self) -> &'static str {
        match self {
            Self::Key => "x-api-key",
            Self::Token => "authorization",
        }
    }

    /// Returns the word in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
        }
    }
}

/// A request to authorize. Deliberately without `Debug`: it holds the secret.
pub struct AuthorizationRequest {
    /// The tree of routes.
    pub tree: RouteTree,
    /// `arn:<partition>:execute-api:<region>:<account>:<api>/<stage>`.
    pub stage_arn: String,
    /// The secret as sent; `None` when there is none, or several that differ: which one counted elsewhere is not known.
    pub secret: Option<String>,
}

impl AuthorizationRequest {
    /// Reads an event. `None` when its path is not a route of the API.
    #[must_use]
    pub fn read(event: &Value) -> Option<Self> {
        let mut parts = event.get("methodArn")?.as_str()?.splitn(4, '/');
        let (api, stage, _method, path) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let tree = [RouteTree::Key, RouteTree::Token].into_iter().find(|tree| {
            path.strip_prefix(tree.path()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })?;
        let stage_arn = format!("{api}/{stage}");
        // A wildcard in the name of the API or the stage would widen the policy that is built from it.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_/".contains(&byte);
        if !stage_arn.starts_with("arn:") || !stage_arn.bytes().all(plain) {
            return None;
        }
        Some(Self { tree, stage_arn, secret: header(event, tree.header()) })
    }
}

/// Returns the one value of a header, whatever the case of its name.
fn header(event: &Value, name: &str) -> Option<String> {
    let named = |map: &'static str| {
        let members = event.get(map).and_then(Value::as_object).into_iter().flatten();
        members.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let many = named("multiValueHeaders").filter_map(Value::as_array).flatten();
    let mut values = many.chain(named("headers")).filter_map(Value::as_str);
    let first = values.next()?;
    values.all(|value| value == first).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const API: &str = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234";

    fn question(path: &str, headers: &Value) -> Option<AuthorizationRequest> {
        let arn = format!("{API}/api/GET/{path}");
        AuthorizationRequest::read(&json!({ "type": "REQUEST", "methodArn": arn, "headers": headers }))
    }

    #[test]
    fn the_route_decides_which_secret_is_read() {
        let headers = json!({ "X-Api-Key": "key", "AUTHORIZATION": "Bearer token" });
        let key = question("v1/files", &headers).expect("a route");
        assert_eq!((key.tree, key.secret.as_deref()), (RouteTree::Key, Some("key")));
        assert_eq!(key.stage_arn, format!("{API}/api"));
        let token = question("oauth/v1/files", &headers).expect("a route");
        assert_eq!((token.tree, token.secret.as_deref()), (RouteTree::Token, Some("Bearer token")));
        for other in ["", "v10/files", "iam/v1/files", "oauth/v2/x", "V1/files", "oauth"] {
            assert!(question(other, &headers).is_none(), "{other}");
        }
    }

    #[test]
    fn two_secrets_that_differ_are_none() {
        let event = |values: &Value| {
            let arn = format!("{API}/api/GET/v1/files");
            let headers = json!({ "x-api-key": "one" });
            let event =
                json!({ "methodArn": arn, "headers": headers, "multiValueHeaders": { "x-api-key": values } });
            AuthorizationRequest::read(&event).expect("a route").secret
        };
        assert_eq!(event(&json!(["one"])).as_deref(), Some("one"));
        assert_eq!(event(&json!(["one", "two"])), None);
        assert_eq!(event(&json!(["two", "one"])), None);
        assert_eq!(question("v1/x", &json!({ "x-api-key": "a", "X-API-KEY": "b" })).unwrap().secret, None);
        assert_eq!(question("v1/x", &json!(null)).unwrap().secret, None);
        assert_eq!(question("v1/x", &json!({ "x-api-key": ["a"] })).unwrap().secret, None);
    }

    #[test]
    fn an_arn_with_a_wildcard_is_no_arn() {
        for arn in ["arn:aws:execute-api:*:1:a/api/GET/v1/x", "arn:a:b/*/GET/v1/x", "a/b/GET/v1/x", "arn:a/b"]
        {
            assert!(AuthorizationRequest::read(&json!({ "methodArn": arn })).is_none(), "{arn}");
        }
        assert!(AuthorizationRequest::read(&json!({ "methodArn": 7 })).is_none());
    }

    proptest! {
        #[test]
        fn no_event_makes_it_panic(arn: String, name: String, value: String) {
            let event = json!({ "methodArn": arn, "headers": { name: value } });
            if let Some(question) = AuthorizationRequest::read(&event) {
                prop_assert!(!question.stage_arn.contains(['*', '?', '$']));
            }
        }
    }
}
