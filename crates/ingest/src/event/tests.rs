use proptest::prelude::*;
use serde_json::json;

use super::*;

fn decode(event: Value) -> ApiRequest {
    ApiRequest::decode(event).unwrap_or_else(|(problem, _)| panic!("{problem:?}"))
}

fn path(path: &str) -> Option<Vec<String>> {
    ApiRequest::decode(json!({ "path": path, "httpMethod": "GET" })).ok().map(|request| request.segments)
}

fn with_body(body: &Value, is_base64: bool) -> Result<Bytes, ProblemDetails> {
    decode(json!({ "path": "/v1", "httpMethod": "POST", "body": body, "isBase64Encoded": is_base64 }))
        .take_body()
}

#[test]
fn the_event_of_a_rest_api_is_read_whole() {
    let request = decode(json!({
        "resource": "/v1/{proxy+}", "path": "/oauth/v1/records/labs/a%2Fb/%25", "httpMethod": "GET",
        "headers": { "X-Api-Key": "ssk_secret", "Accept": "*/*" },
        "multiValueHeaders": { "X-Api-Key": ["ssk_secret"], "Accept": ["*/*"] },
        "queryStringParameters": { "history": "true" },
        "multiValueQueryStringParameters": { "history": ["true"] },
        "pathParameters": { "proxy": "ignored" }, "stageVariables": null,
        "requestContext": {
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "api",
            "path": "/api/oauth/v1/records/labs/a%2Fb/%25",
            "identity": { "apiKey": "ssk_secret", "sourceIp": "1.2.3.4", "userArn": "arn:aws:iam::1:role/x" },
            "authorizer": { "partner": "north", "integrationLatency": 5 }
        },
        "body": null, "isBase64Encoded": false
    }));
    assert_eq!((request.tree, request.base.as_str()), (RouteTree::Token, "/api/oauth"));
    assert_eq!(request.segments, ["v1", "records", "labs", "a/b", "%"]);
    assert_eq!(request.header("accept"), Ok(Some("*/*")));
    assert_eq!((request.parameter("history"), request.parameter("proxy")), (Some("true"), None));
    assert!(request.authorizer.is_some() && request.signer.is_none());
}

#[test]
fn each_tree_believes_only_its_own_proof() {
    let event = |path: &str| {
        json!({ "path": path, "httpMethod": "GET", "requestContext": {
            "authorizer": { "partner": "north" }, "identity": { "userArn": "arn:aws:sts::1:assumed-role/x/y" } } })
    };
    let role = decode(event("/iam/v1/files"));
    assert!(role.authorizer.is_none() && role.signer.is_some() && role.segments == ["v1", "files"]);
    for path in ["/v1/files", "/oauth/v1/files", "/%69am/v1/files", "/iamx/v1/files"] {
        let request = decode(event(path));
        assert!(request.authorizer.is_some() && request.signer.is_none(), "{path}");
    }
}

#[test]
fn a_path_is_decoded_once_and_a_bad_escape_is_rejected() {
    assert_eq!(path("/v1/a%252Fb"), Some(vec!["v1".into(), "a%2Fb".into()]));
    assert_eq!(path("/v1/a+b/%C3%BC"), Some(vec!["v1".into(), "a+b".into(), "ü".into()]));
    assert_eq!(path(""), Some(vec![String::new()]));
    for bad in ["/v1/%", "/v1/%2", "/v1/%zz", "/v1/%+1", "/v1/%ff", "/v1/%c3%28"] {
        assert_eq!(path(bad), None, "{bad}");
    }
}

#[test]
fn names_of_headers_have_no_case_and_a_repeated_one_is_rejected() {
    let request = decode(json!({ "path": "/v1", "httpMethod": "GET",
        "multiValueHeaders": { "Idempotency-Key": ["a"], "idempotency-key": ["b"], "CONTENT-TYPE": ["x/y"] } }));
    assert_eq!(request.header("content-type"), Ok(Some("x/y")));
    assert_eq!(request.header("digest"), Ok(None));
    let problem = request.header("idempotency-key").expect_err("twice");
    assert_eq!(problem.code, ProblemCode::InvalidHeader);
}

#[test]
fn parameters_that_are_unknown_or_repeated_are_rejected_without_their_names() {
    let request = |query: Value| {
        decode(json!({ "path": "/v1", "httpMethod": "GET", "multiValueQueryStringParameters": query }))
    };
    assert_eq!(request(json!({ "limit": ["1"] })).allow_parameters(&["limit"]), Ok(()));
    for query in [json!({ "limit": ["1"], "MRN00412": ["2"] }), json!({ "limit": ["1", "1"] })] {
        let problem = request(query).allow_parameters(&["limit"]).expect_err("rejected");
        assert_eq!(problem.code, ProblemCode::InvalidQuery);
        assert!(!problem.detail.contains("MRN"));
    }
}

#[test]
fn bytes_of_every_value_come_through_in_base_64() {
    let every: Vec<u8> = (0..=255).collect();
    let decoded = with_body(&json!(STANDARD.encode(&every)), true).expect("bytes");
    assert_eq!(decoded, every);
    assert_eq!(with_body(&json!("a\u{0}ü"), false).expect("text"), "a\u{0}ü".as_bytes());
    assert_eq!(with_body(&Value::Null, true).expect("nothing"), "");
    assert_eq!(with_body(&json!("####"), true).expect_err("not base 64").code, ProblemCode::InvalidRequest);
}

#[test]
fn a_body_is_measured_to_the_byte() {
    for is_base64 in [false, true] {
        let body = |bytes: usize| {
            let bytes = vec![b'a'; bytes];
            json!(if is_base64 { STANDARD.encode(bytes) } else { String::from_utf8(bytes).expect("ASCII") })
        };
        assert_eq!(with_body(&body(MOST_BODY_BYTES), is_base64).expect("the most").len(), MOST_BODY_BYTES);
        let problem = with_body(&body(MOST_BODY_BYTES + 1), is_base64).expect_err("one more");
        assert_eq!(problem.code, ProblemCode::TooLarge);
        assert!(problem.detail.contains("/uploads"));
    }
}

#[test]
fn a_wrong_json_body_is_located_and_never_quoted() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Small {
        bytes: u64,
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{{\"bytes\":{deep}}}");
    for body in [
        "",
        "null",
        "{}",
        "{\"bytes\":\"MRN00412\"}",
        "{\"bytes\":1,\"MRN00412\":2}",
        "{\"bytes\":1,\"bytes\":2}",
        "{\"bytes\":-1}",
        "{\"bytes\":1.5}",
        "{\"bytes\":1} x",
        nested.as_str(),
    ] {
        let read = ApiRequest::json::<Small>(&Bytes::from(body.to_owned()), "bytes");
        let Err(problem) = read else { panic!("{body}") };
        assert_eq!(problem.code, ProblemCode::InvalidBody);
        assert!(problem.detail.starts_with("line ") && !problem.detail.contains("MRN"), "{}", problem.detail);
    }
}

#[test]
fn a_request_id_that_is_none_is_not_repeated() {
    for (id, kept) in [("r-1", "r-1"), ("a\r\nb", ""), ("<script>", "")] {
        let request =
            decode(json!({ "path": "/v1", "httpMethod": "GET", "requestContext": { "requestId": id } }));
        assert_eq!(request.id, kept);
    }
}

#[test]
fn a_stage_that_is_none_is_left_out_of_addresses() {
    for (whole, base) in
        [("/api/v1/files", "/api"), ("/v1/files", ""), ("//evil.example\"/v1/files", ""), ("x", "")]
    {
        let event = json!({ "path": "/v1/files", "httpMethod": "GET", "requestContext": { "path": whole } });
        assert_eq!(decode(event).base, base);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("path"),
        Just("httpMethod"),
        Just("headers"),
        Just("multiValueHeaders"),
        Just("requestContext"),
        Just("queryStringParameters"),
        Just("multiValueQueryStringParameters"),
        Just("body"),
        Just("isBase64Encoded"),
        Just("authorizer"),
        Just("identity"),
        Just("requestId"),
        Just("x"),
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_panics(event in any_json()) {
        if let Ok(mut request) = ApiRequest::decode(event) {
            prop_assert!(request.take_body().is_ok_and(|body| body.len() <= MOST_BODY_BYTES) || request.is_base64);
        }
    }

    #[test]
    fn every_segment_survives_its_encoding(parts in prop::collection::vec(any::<String>(), 1..4)) {
        let encode = |part: &String| part.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
        let whole = parts.iter().fold(String::new(), |text, part| text + "/" + &encode(part));
        prop_assert_eq!(path(&format!("/v1{whole}")).map(|mut found| found.split_off(1)), Some(parts));
    }
}
