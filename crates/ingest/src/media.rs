//! Media types: those of files, and forms, which wrap a file and are rejected.

use crate::problem::{ProblemCode, ProblemDetails};

/// The media types of files, for documents. The contract and the bytes decide what a file is; any type but a form is
/// accepted. `application/json` is not here: clients that are generated from the document would encode the bytes as a
/// JSON value.
pub(crate) const FILE_TYPES: [&str; 5] = [
    "text/csv",
    "text/tab-separated-values",
    "application/x-ndjson",
    "application/gzip",
    "application/octet-stream",
];

/// What `curl -F` and `curl -d` (and pages) send: the bytes of the file are not the body.
const FORMS: [&str; 2] = ["multipart/form-data", "application/x-www-form-urlencoded"];

/// Maximum length of a media type, characters (RFC 4288 allows 127 for each of its two names).
const CHARACTERS: usize = 255;

/// The kind of an operation's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// The bytes of a file.
    File,
    /// A JSON document.
    Json,
}

/// Rejects a form.
pub(crate) fn no_form(content_type: Option<&str>, body: BodyKind) -> Result<(), ProblemDetails> {
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let Some(form) = FORMS.iter().find(|form| form.eq_ignore_ascii_case(essence)) else { return Ok(()) };
    let detail = match body {
        BodyKind::File => format!(
            "the body is a form ({form}), not a file: send the bytes of the file as the body, for example with \
             curl --data-binary @file -H 'content-type: text/csv', or curl -X POST -T file; accepted media types: {}, application/json",
            FILE_TYPES.join(", ")
        ),
        BodyKind::Json => format!(
            "the body is a form ({form}), not JSON: send it with curl --data-binary @file -H 'content-type: application/json'; \
             accepted media type: application/json"
        ),
    };
    Err(ProblemDetails::new(ProblemCode::UnsupportedMediaType, detail))
}

/// Reads a media type (RFC 9110, 8.3.1); without one the bytes are only bytes. It becomes a header of the object.
pub(crate) fn of_file(given: Option<&str>) -> Result<String, ProblemDetails> {
    let Some(text) = given.filter(|text| !text.is_empty()) else {
        return Ok("application/octet-stream".to_owned());
    };
    no_form(given, BodyKind::File)?;
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let named = essence.split_once('/').is_some_and(|(kind, subkind)| token(kind) && token(subkind));
    let plain = text.len() <= CHARACTERS && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if named && plain {
        return Ok(text.to_owned());
    }
    Err(ProblemDetails::new(
        ProblemCode::InvalidHeader,
        "the content type is malformed: expected a media type, for example text/csv",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_media_type_is_kept_as_it_is_and_anything_else_is_an_error() {
        for text in
            ["application/json", "text/csv; charset=utf-8; header=present"].into_iter().chain(FILE_TYPES)
        {
            assert_eq!(of_file(Some(text)).as_deref(), Ok(text));
        }
        for none in [None, Some("")] {
            assert_eq!(of_file(none).as_deref(), Ok("application/octet-stream"));
        }
        let long = format!("text/{}", "a".repeat(255));
        for text in
            ["csv", "/", "text/", "te xt/csv", "text/csv\r\nx-amz-acl: public-read", "text/cs\u{fc}", &long]
        {
            assert_eq!(
                of_file(Some(text)).map_err(|problem| problem.code),
                Err(ProblemCode::InvalidHeader),
                "{text}"
            );
        }
    }

    #[test]
    fn a_form_is_named_with_the_option_of_curl_that_sends_a_file() {
        for (text, form) in [
            ("multipart/form-data; boundary=----x", "multipart/form-data"),
            ("Multipart/Form-Data", "multipart/form-data"),
            ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
            (" application/x-www-form-urlencoded ; charset=utf-8", "application/x-www-form-urlencoded"),
        ] {
            let problem = of_file(Some(text)).expect_err(text);
            assert_eq!(problem.code, ProblemCode::UnsupportedMediaType);
            for part in
                [form, "--data-binary @file", "-T file", "text/csv", "application/gzip", "application/json"]
            {
                assert!(problem.detail.contains(part), "{}", problem.detail);
            }
            let json = no_form(Some(text), BodyKind::Json).expect_err(text);
            assert!(
                json.detail.contains("application/json") && !json.detail.contains("csv"),
                "{}",
                json.detail
            );
        }
        assert_eq!(no_form(None, BodyKind::File), Ok(()));
        assert_eq!(no_form(Some("multipart/mixed"), BodyKind::Json), Ok(()));
    }

    proptest! {
        #[test]
        fn no_media_type_holds_a_line_end(text: String) {
            if let Ok(kept) = of_file(Some(&text)) {
                prop_assert!(kept.is_ascii() && !kept.contains(['\r', '\n', '\0']));
            }
        }
    }
}
