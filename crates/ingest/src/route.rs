//! The table of routes: the router, the answers 404 and 405, the scopes and the OpenAPI document are made from it.

use store::Scope;

use crate::media::BodyKind;

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Send a small file.
    SendFile,
    /// Check a small file, storing nothing.
    CheckFile,
    /// Promise an upload that goes straight to S3.
    OpenUpload,
    /// Read the state of an upload.
    ReadUpload,
    /// Sign parts of an upload.
    SignParts,
    /// Make a file of the parts.
    CompleteUpload,
    /// Abort an upload.
    AbortUpload,
    /// The partner's files.
    ListFiles,
    /// Read the state of a file.
    ReadFile,
    /// The receipt of a file.
    ReadReceipt,
    /// Where the rejected records of a file are fetched.
    ReadRejects,
    /// What happened to a file.
    ReadHistory,
    /// Have a file processed again.
    ReplayFile,
    /// The feeds that the credential opens.
    ListFeeds,
    /// The contract of a feed.
    ReadContract,
    /// A record, or its history.
    ReadRecord,
    /// Whether the function answers.
    Health,
    /// The description of the interface.
    OpenApi,
}

impl Route {
    /// Returns the kind of its body; `None` when it takes none.
    pub(crate) fn body(self) -> Option<BodyKind> {
        match self {
            Self::SendFile | Self::CheckFile => Some(BodyKind::File),
            Self::OpenUpload | Self::SignParts | Self::CompleteUpload => Some(BodyKind::Json),
            Self::ReadUpload
            | Self::AbortUpload
            | Self::ListFiles
            | Self::ReadFile
            | Self::ReadReceipt
            | Self::ReadRejects
            | Self::ReadHistory
            | Self::ReplayFile
            | Self::ListFeeds
            | Self::ReadContract
            | Self::ReadRecord
            | Self::Health
            | Self::OpenApi => None,
        }
    }
}

/// The credentials that may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAccess {
    /// Every caller, without a credential.
    Open,
    /// A credential with one of these scopes.
    Scopes(&'static [Scope]),
}

/// One row of the table.
#[derive(Debug)]
pub struct RouteDefinition {
    /// The operation.
    pub route: Route,
    /// The operation's id: in the OpenAPI document, in logs and metrics.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path; `{name}` is one segment, `{name+}` is one or more.
    pub path: &'static str,
    /// The credentials that may call a route.
    pub access: RouteAccess,
    /// The query parameters that are allowed, each once.
    pub query: &'static [&'static str],
}

const SUBMIT: RouteAccess = RouteAccess::Scopes(&[Scope::Submit]);
const READ: RouteAccess = RouteAccess::Scopes(&[Scope::Read]);
const OPERATE: RouteAccess = RouteAccess::Scopes(&[Scope::Operate]);
const EITHER: RouteAccess = RouteAccess::Scopes(&[Scope::Read, Scope::Submit]);

/// Every route.
pub const TABLE: [RouteDefinition; 18] = [
    RouteDefinition {
        route: Route::SendFile,
        operation: "sendFile",
        method: "POST",
        path: "/v1/feeds/{feed}/files",
        access: SUBMIT,
        query: &["name", "corrects"],
    },
    RouteDefinition {
        route: Route::CheckFile,
        operation: "checkFile",
        method: "POST",
        path: "/v1/feeds/{feed}/check",
        access: SUBMIT,
        query: &[],
    },
    RouteDefinition {
        route: Route::OpenUpload,
        operation: "openUpload",
        method: "POST",
        path: "/v1/feeds/{feed}/uploads",
        access: SUBMIT,
        query: &[],
    },
    RouteDefinition {
        route: Route::ReadUpload,
        operation: "readUpload",
        method: "GET",
        path: "/v1/uploads/{upload}",
        access: EITHER,
        query: &[],
    },
    RouteDefinition {
        route: Route::SignParts,
        operation: "signParts",
        method: "POST",
        path: "/v1/uploads/{upload}/parts",
        access: SUBMIT,
        query: &[],
    },
    RouteDefinition {
        route: Route::CompleteUpload,
        operation: "completeUpload",
        method: "POST",
        path: "/v1/uploads/{upload}/complete",
        access: SUBMIT,
        query: &[],
    },
    RouteDefinition {
        route: Route::AbortUpload,
        operation: "abortUpload",
        method: "DELETE",
        path: "/v1/uploads/{upload}",
        access: SUBMIT,
        query: &[],
    },
    RouteDefinition {
        route: Route::ListFiles,
        operation: "listFiles",
        method: "GET",
        path: "/v1/files",
        access: READ,
        query: &["feed", "state", "from", "before", "limit", "cursor"],
    },
    RouteDefinition {
        route: Route::ReadFile,
        operation: "readFile",
        method: "GET",
        path: "/v1/files/{file}",
        access: READ,
        query: &[],
    },
    RouteDefinition {
        route: Route::ReadReceipt,
        operation: "readReceipt",
        method: "GET",
        path: "/v1/files/{file}/receipt",
        access: READ,
        query: &[],
    },
    RouteDefinition {
        route: Route::ReadRejects,
        operation: "readRejects",
        method: "GET",
        path: "/v1/files/{file}/rejects",
        access: READ,
        query: &["format"],
    },
    RouteDefinition {
        route: Route::ReadHistory,
        operation: "readHistory",
        method: "GET",
        path: "/v1/files/{file}/history",
        access: READ,
        query: &[],
    },
    RouteDefinition {
        route: Route::ReplayFile,
        operation: "replayFile",
        method: "POST",
        path: "/v1/files/{file}/replay",
        access: OPERATE,
        query: &[],
    },
    RouteDefinition {
        route: Route::ListFeeds,
        operation: "listFeeds",
        method: "GET",
        path: "/v1/feeds",
        access: EITHER,
        query: &[],
    },
    RouteDefinition {
        route: Route::ReadContract,
        operation: "readContract",
        method: "GET",
        path: "/v1/feeds/{feed}/contract",
        access: EITHER,
        query: &[],
    },
    RouteDefinition {
        route: Route::ReadRecord,
        operation: "readRecord",
        method: "GET",
        path: "/v1/records/{feed}/{key+}",
        access: READ,
        query: &["history", "limit", "cursor"],
    },
    RouteDefinition {
        route: Route::Health,
        operation: "health",
        method: "GET",
        path: "/v1/health",
        access: RouteAccess::Open,
        query: &[],
    },
    RouteDefinition {
        route: Route::OpenApi,
        operation: "openApi",
        method: "GET",
        path: "/v1/openapi.json",
        access: RouteAccess::Open,
        query: &[],
    },
];

/// The result of looking up a path and a method.
#[derive(Debug)]
pub enum RouteMatch<'r> {
    /// A route, with the segment for each `{name}`; a `{name+}` takes all that are left.
    Route(&'static RouteDefinition, Vec<&'r str>),
    /// The path is in the table, with these methods.
    OtherMethods(Vec<&'static str>),
    /// Nothing.
    Nothing,
}

/// Looks up a decoded path.
#[must_use]
pub fn find<'r>(method: &str, segments: &'r [String]) -> RouteMatch<'r> {
    let mut methods = Vec::new();
    for definition in &TABLE {
        let Some(captured) = captures(definition.path, segments) else { continue };
        if definition.method == method {
            return RouteMatch::Route(definition, captured);
        }
        methods.push(definition.method);
    }
    if methods.is_empty() { RouteMatch::Nothing } else { RouteMatch::OtherMethods(methods) }
}

fn captures<'r>(path: &str, segments: &'r [String]) -> Option<Vec<&'r str>> {
    let mut captured = Vec::new();
    let mut given = segments.iter();
    for part in path.split('/').skip(1) {
        let segment = given.next()?;
        if part.ends_with("+}") {
            captured.push(segment.as_str());
            captured.extend(given.by_ref().map(String::as_str));
        } else if part.starts_with('{') {
            captured.push(segment.as_str());
        } else if part != segment {
            return None;
        }
    }
    given.next().is_none().then_some(captured)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn segments(path: &str) -> Vec<String> {
        path.split('/').skip(1).map(str::to_owned).collect()
    }

    fn operation(method: &str, path: &str) -> String {
        match find(method, &segments(path)) {
            RouteMatch::Route(definition, captured) => {
                format!("{} {}", definition.operation, captured.join("|"))
            }
            RouteMatch::OtherMethods(methods) => format!("allow {}", methods.join(", ")),
            RouteMatch::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn each_path_leads_where_the_table_says() {
        for (method, path, expected) in [
            ("POST", "/v1/feeds/labs/files", "sendFile labs"),
            ("GET", "/v1/feeds/labs/files", "allow POST"),
            ("GET", "/v1/uploads/u", "readUpload u"),
            ("DELETE", "/v1/uploads/u", "abortUpload u"),
            ("PUT", "/v1/uploads/u", "allow GET, DELETE"),
            ("GET", "/v1/records/labs/a", "readRecord labs|a"),
            ("GET", "/v1/records/labs/a//b", "readRecord labs|a||b"),
            ("GET", "/v1/records/labs", "nothing"),
            ("GET", "/v1/files/", "readFile "),
            ("GET", "/v1/files/x/", "nothing"),
            ("GET", "/v1", "nothing"),
            ("GET", "/v2/files", "nothing"),
            ("get", "/v1/files", "allow GET"),
            ("GET", "/V1/files", "nothing"),
        ] {
            assert_eq!(operation(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn each_operation_is_listed_once_and_only_two_are_open() {
        let operations: BTreeSet<&str> = TABLE.iter().map(|definition| definition.operation).collect();
        assert_eq!(operations.len(), TABLE.len());
        let open = TABLE.iter().filter(|definition| definition.access == RouteAccess::Open);
        assert_eq!(open.map(|definition| definition.operation).collect::<Vec<_>>(), ["health", "openApi"]);
    }

    proptest! {
        #[test]
        fn no_path_panics(method: String, segments: Vec<String>) {
            if let RouteMatch::Route(definition, _) = find(&method, &segments) {
                prop_assert_eq!(definition.method, method);
            }
        }
    }
}
