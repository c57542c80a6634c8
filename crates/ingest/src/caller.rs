//! The caller, made from the authorizer's context or from a role, never from anything that a caller can write.
//!
//! This file isolates partners from each other: every key, partition and query that names a partner is built by a
//! method of [`Caller`] or of the [`OpenFeed`] that it gives out, so that no handler has a partner's name to mistake.

use std::collections::BTreeSet;

use ledger::{Actor, Entry, Outcome};
use runtime::is_name;
use serde_json::{Map, Value};
use store::{
    Credential, Feeds, FileQuery, Partner, PartnerLimits, RequestKey, Scope, UploadId, UploadRecord,
};

use crate::problem::ProblemDetails;
use crate::route::RouteAccess;

/// An authenticated caller. Its fields are private, so that it can be made here only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    partner: String,
    feeds: Feeds,
    scopes: BTreeSet<Scope>,
    limits: PartnerLimits,
    credential: String,
}

/// A feed that the caller's credential opens.
#[derive(Clone, Copy)]
pub struct OpenFeed<'c> {
    partner: &'c str,
    name: &'c str,
}

impl Caller {
    /// Reads the caller from the authorizer's context. `None` when a member is missing or malformed.
    #[must_use]
    pub fn from_authorizer(context: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| context.get(name).and_then(Value::as_str);
        let partner = text("partner").filter(|partner| is_name(partner))?.to_owned();
        Some(Self {
            partner,
            feeds: Feeds::parse(text("feeds")?),
            scopes: text("scopes")?.split_ascii_whitespace().filter_map(Scope::parse).collect(),
            limits: PartnerLimits {
                requests_per_second: text("rate")?.parse().ok()?,
                burst: text("burst")?.parse().ok()?,
                bytes_per_day: text("bytesPerDay")?.parse().ok()?,
            },
            credential: text("credential")?.to_owned(),
        })
    }

    /// Makes the caller of a role's credential. `None` when the credential or the partner is not valid at this time.
    #[must_use]
    pub fn from_role(credential: Credential, partner: &Partner, now_ms: u64) -> Option<Self> {
        let valid = partner.active && partner.name == credential.partner && credential.is_valid(now_ms);
        (valid && is_name(&partner.name)).then_some(Self {
            partner: credential.partner,
            feeds: credential.feeds,
            scopes: credential.scopes,
            limits: partner.limits,
            credential: credential.id,
        })
    }

    /// Returns the partner, for limits and logs.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.partner
    }

    /// Returns the credential's public name, for logs.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// Returns the caller as the audit trail keeps it; `None` for a name that it cannot keep.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        Actor::partner(&self.partner, &self.credential)
    }

    /// Returns the partner's limits.
    #[must_use]
    pub fn limits(&self) -> &PartnerLimits {
        &self.limits
    }

    /// Returns whether the credential's scopes open a route.
    #[must_use]
    pub fn may(&self, access: RouteAccess) -> bool {
        match access {
            RouteAccess::Open => true,
            RouteAccess::Scopes(any) => any.iter().any(|scope| self.scopes.contains(scope)),
        }
    }

    /// Returns a feed, if the credential opens it.
    pub fn feed<'c>(&'c self, name: &'c str) -> Result<OpenFeed<'c>, ProblemDetails> {
        if self.opens(name) {
            Ok(OpenFeed { partner: &self.partner, name })
        } else {
            Err(ProblemDetails::not_found())
        }
    }

    /// Returns whether the credential opens a feed.
    #[must_use]
    pub fn opens(&self, feed: &str) -> bool {
        is_name(feed) && self.feeds.allow(feed)
    }

    /// Returns whether a file is the caller's, and of a feed that the credential opens.
    #[must_use]
    pub fn owns(&self, entry: &Entry) -> bool {
        entry.partner == self.partner && self.opens(&entry.feed)
    }

    /// Returns a promised upload, if it is the caller's.
    pub fn upload(&self, record: Option<UploadRecord>) -> Result<UploadRecord, ProblemDetails> {
        record
            .filter(|record| record.partner == self.partner && self.opens(&record.feed))
            .ok_or_else(ProblemDetails::not_found)
    }

    /// Makes a query for the caller's files.
    #[must_use]
    pub fn file_query(&self) -> FileQuery {
        FileQuery { partner: self.partner.clone(), ..FileQuery::default() }
    }

    /// Returns the key of an idempotent request.
    #[must_use]
    pub fn request_key(&self, hash: String) -> RequestKey {
        RequestKey { partner: self.partner.clone(), hash }
    }

    /// Returns the receipt's key, if it is one of the caller's.
    #[must_use]
    pub fn receipt_key<'o>(&self, outcome: &'o Outcome) -> Option<&'o str> {
        let key = outcome.receipt.as_str();
        key.starts_with(&format!("_receipts/{}/", self.partner)).then_some(key)
    }

    /// Returns the folder of rejected records, if it is one of the caller's and holds any.
    #[must_use]
    pub fn rejects_folder<'o>(&self, outcome: &'o Outcome) -> Option<&'o str> {
        let folder = outcome.quarantine.as_deref().filter(|_| outcome.counts.rejects > 0)?;
        folder.starts_with(&format!("{}/", self.partner)).then_some(folder)
    }
}

impl<'c> OpenFeed<'c> {
    /// Returns the feed's name.
    #[must_use]
    pub fn name(&self) -> &'c str {
        self.name
    }

    /// Returns the partner's name, for records of uploads.
    #[must_use]
    pub fn partner(&self) -> &'c str {
        self.partner
    }

    /// Returns the key of a file in the inbox. The name was checked by [`crate::name::check`].
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.partner, self.name)
    }

    /// Returns the id of the upload that an idempotent request makes. Another key, body or partner gives another id.
    #[must_use]
    pub fn upload_id(&self, request: &RequestKey, fingerprint: &str) -> UploadId {
        UploadId::of(&[
            self.partner.as_bytes(),
            self.name.as_bytes(),
            request.hash.as_bytes(),
            fingerprint.as_bytes(),
        ])
    }

    /// Returns the partition key of a record.
    #[must_use]
    pub fn partition(&self, key: &str) -> String {
        format!("{}/{}#{key}", self.partner, self.name)
    }
}

/// Returns the role of an assumed role's session: `arn:<partition>:sts::<account>:assumed-role/<name>/<session>`
/// becomes `arn:<partition>:iam::<account>:role/<name>`. `None` for a user, a root or anything else.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>
#[must_use]
pub fn role_of(signer: &str) -> Option<String> {
    let parts: Vec<&str> = signer.split(':').collect();
    let ["arn", partition, "sts", "", account, resource] = parts.as_slice() else { return None };
    let mut resource = resource.split('/');
    let ("assumed-role", Some(role), Some(session), None) =
        (resource.next()?, resource.next(), resource.next(), resource.next())
    else {
        return None;
    };
    let named = !role.is_empty() && !session.is_empty();
    let numbered = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    (named && numbered).then(|| format!("arn:{partition}:iam::{account}:role/{role}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn context() -> Map<String, Value> {
        let Value::Object(context) = json!({
            "partner": "north", "feeds": "labs,visits", "scopes": "read unknown", "credential": "abc",
            "rate": "10", "burst": "50", "bytesPerDay": "1000", "principalId": "south"
        }) else {
            unreachable!()
        };
        context
    }

    #[test]
    fn a_caller_is_what_the_authorizer_says_and_nothing_else() {
        let caller = Caller::from_authorizer(&context()).expect("a caller");
        assert_eq!((caller.partner(), caller.credential()), ("north", "abc"));
        assert!(caller.opens("labs") && !caller.opens("other") && !caller.opens("../labs"));
        assert!(
            caller.may(RouteAccess::Open) && caller.may(RouteAccess::Scopes(&[Scope::Submit, Scope::Read]))
        );
        assert!(!caller.may(RouteAccess::Scopes(&[Scope::Submit])) && !caller.may(RouteAccess::Scopes(&[])));
        assert_eq!(caller.limits().bytes_per_day, 1_000);
    }

    #[test]
    fn an_incomplete_context_is_no_caller() {
        for name in ["partner", "feeds", "scopes", "credential", "rate", "burst", "bytesPerDay"] {
            for value in [None, Some(json!(5)), Some(Value::Null)] {
                let mut context = context();
                context.remove(name);
                context.extend(value.map(|value| (name.to_owned(), value)));
                assert_eq!(Caller::from_authorizer(&context), None, "{name}");
            }
        }
        for (name, value) in
            [("partner", "North"), ("partner", ""), ("partner", "a/b"), ("rate", "-1"), ("burst", "x")]
        {
            let mut context = context();
            context.insert(name.to_owned(), json!(value));
            assert_eq!(Caller::from_authorizer(&context), None, "{name}={value}");
        }
    }

    #[test]
    fn only_a_session_of_a_role_is_a_role() {
        let check =
            |signer: &str, role: Option<&str>| assert_eq!(role_of(signer).as_deref(), role, "{signer}");
        check(
            "arn:aws:sts::123456789012:assumed-role/Partner/session",
            Some("arn:aws:iam::123456789012:role/Partner"),
        );
        check("arn:aws-cn:sts::123456789012:assumed-role/P/i-0", Some("arn:aws-cn:iam::123456789012:role/P"));
        for other in [
            "",
            "arn:aws:iam::123456789012:user/Partner",
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:federated-user/Partner",
            "arn:aws:sts::123456789012:assumed-role/Partner",
            "arn:aws:sts::123456789012:assumed-role//session",
            "arn:aws:sts::123456789012:assumed-role/a/b/c",
            "arn:aws:sts::12345:assumed-role/a/b",
            "arn:aws:sts::123456789012:assumed-role/a/b:c",
        ] {
            check(other, None);
        }
    }

    proptest! {
        #[test]
        fn every_key_begins_with_the_partner_of_the_context(name in "[A-Za-z0-9 ./]{1,20}", key: String) {
            let caller = Caller::from_authorizer(&context()).expect("a caller");
            let feed = caller.feed("labs").expect("open");
            prop_assert!(feed.key(&name).starts_with("north/labs/"));
            prop_assert!(feed.partition(&key).starts_with("north/labs#"));
        }

        #[test]
        fn no_signer_panics(signer: String, parts in prop::collection::vec("[a-z/:]{0,12}", 0..7)) {
            prop_assert!(role_of(&signer).is_none());
            prop_assert!(role_of(&parts.join(":")).is_none());
        }
    }
}
