//! The answer of a `partner` command: one JSON document, or text for a reader.

mod table;
mod uploads;

use std::collections::BTreeSet;

use runtime::format_second;
use serde::Serialize;
use store::{Credential, Partner};

use crate::size;

pub(crate) use table::{Fit, Mark, marked_table, paragraph, row, shorten, table};
pub use table::{Style, WIDTH};
pub use uploads::{PrincipalView, RestoredView, UploadsView};

/// Columns that a list of feeds may take in a table on a terminal.
const FEEDS_WIDTH: usize = 24;

/// An answer. Deliberately without `Debug`: some hold a secret.
#[derive(Serialize)]
#[serde(tag = "did", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub enum CommandReport {
    /// A credential was made for a partner that had none.
    Added { partner: PartnerView, credential: CredentialView, secret: String, address: String },
    /// The partner has a credential already; its limits are as asked.
    Kept { partner: PartnerView, credentials: Vec<CredentialView>, address: String, grant_ignored: bool },
    /// A further credential was made.
    Rotated { partner: String, credential: CredentialView, secret: String, still_valid: Vec<String> },
    /// A credential opens nothing any more.
    Revoked { partner: String, credential: String, still_valid: Vec<String> },
    /// Everything that the partner sends is rejected.
    Suspended { partner: String },
    /// The partner's files are accepted again.
    Resumed { partner: String },
    /// All partners.
    Partners { stack: String, partners: Vec<PartnerView> },
    /// One partner.
    Partner { partner: PartnerView, webhook: Option<String>, credentials: Vec<CredentialView> },
    /// Outcomes are posted; the secret is there when it is new.
    WebhookSet {
        partner: String,
        url: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    /// Two secrets sign.
    WebhookRotated { partner: String, url: String, secret: String },
    /// Outcomes are posted no more.
    WebhookRemoved { partner: String },
    /// A role is the partner's.
    RoleNamed { partner: String, arn: String, credential: CredentialView },
    /// The role is not a partner's.
    RoleRemoved { partner: String, arn: String },
    /// Principals may upload by S3.
    S3Given { uploads: UploadsView },
    /// Who may upload by S3.
    S3Shown { uploads: UploadsView },
    /// Principals may upload by S3 no more.
    S3Removed { partner: String, removed: BTreeSet<String>, left: BTreeSet<String> },
    /// The statement of every partner is as it is to be.
    S3Restored { stack: String, partners: Vec<RestoredView> },
}

/// A partner as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerView {
    name: String,
    state: &'static str,
    valid_credentials: usize,
    requests_per_second: u32,
    burst: u32,
    bytes_per_day: u64,
    created: String,
}

impl PartnerView {
    pub(crate) fn new(partner: &Partner, valid_credentials: usize) -> Self {
        Self {
            name: partner.name.clone(),
            state: if partner.active { "active" } else { "suspended" },
            valid_credentials,
            requests_per_second: partner.limits.requests_per_second,
            burst: partner.limits.burst,
            bytes_per_day: partner.limits.bytes_per_day,
            created: format_second(partner.created_ms),
        }
    }
}

/// A credential as it is shown: never its secret, nor its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialView {
    id: String,
    state: &'static str,
    feeds: String,
    scopes: Vec<&'static str>,
    created: String,
    ends: Option<String>,
}

impl CredentialView {
    pub(crate) fn new(credential: &Credential, now_ms: u64) -> Self {
        let state = match credential.revoked_ms {
            Some(_) => "revoked",
            None if credential.is_valid(now_ms) => "valid",
            None => "ended",
        };
        Self {
            id: credential.id.clone(),
            state,
            feeds: credential.feeds.to_text(),
            scopes: credential.scopes.iter().map(|scope| scope.as_str()).collect(),
            created: format_second(credential.created_ms),
            ends: credential.revoked_ms.or(credential.expires_ms).map(format_second),
        }
    }
}

impl CommandReport {
    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Returns whether it holds a secret that is shown this once.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        match self {
            Self::Added { .. } | Self::Rotated { .. } | Self::WebhookRotated { .. } => true,
            Self::WebhookSet { secret, .. } => secret.is_some(),
            _ => false,
        }
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        match self {
            Self::Added { partner, credential, secret, address } => {
                let partners = partner_table(std::slice::from_ref(partner), style);
                let credentials = credential_table(std::slice::from_ref(credential), style);
                let line = to_the_partner(address, credential);
                format!("{partners}\n{credentials}\n{}\n{line}", shown_once(secret))
            }
            Self::Kept { partner, credentials, address, grant_ignored } => {
                let name = &partner.name;
                let partners = partner_table(std::slice::from_ref(partner), style);
                let credentials = credential_table(credentials, style);
                let ignored = if *grant_ignored {
                    format!(
                        "--feeds, --scopes and --expires-days do not change a credential; make another:\n  \
                         scalper partner rotate {name} --feeds <feeds>\n"
                    )
                } else {
                    String::new()
                };
                format!(
                    "{partners}\n{credentials}\n{ignored}{name} already has a credential, so none was made; API: {address}\n\
                     If the secret is lost:\n  scalper partner rotate {name}\n"
                )
            }
            Self::Rotated { partner, credential, secret, still_valid } => {
                let old = still_valid.first().map_or_else(String::new, |old| {
                    format!("{old} stays valid; when the new one is in use:\n  scalper partner revoke {partner} {old}\n")
                });
                let credentials = credential_table(std::slice::from_ref(credential), style);
                format!("{credentials}\n{}{old}", shown_once(secret))
            }
            Self::Revoked { partner, credential, still_valid } => {
                let left = match still_valid.as_slice() {
                    [] => format!("{partner} has no valid credential left"),
                    left => format!("still valid: {}", left.join(", ")),
                };
                format!(
                    "{credential} of {partner} is rejected within a minute, and its key is deleted; {left}\n"
                )
            }
            Self::Suspended { partner } => {
                format!(
                    "{partner} is suspended: everything that it sends is rejected within a minute\n\
                     a file that arrives anyway is quarantined as PARTNER_SUSPENDED\n"
                )
            }
            Self::Resumed { partner } => {
                format!(
                    "{partner} is active again: its files are accepted within a minute\n\
                     files quarantined as PARTNER_SUSPENDED have to be sent again; this lists them:\n  \
                     scalper files --partner {partner} --state quarantined\n"
                )
            }
            Self::Partners { stack, partners } if partners.is_empty() => {
                format!("{stack} has no partners; add one:\n  scalper partner add <name>\n")
            }
            Self::Partners { partners, .. } => partner_table(partners, style),
            Self::Partner { partner, webhook, credentials } => {
                let partners = partner_table(std::slice::from_ref(partner), style);
                let webhook = webhook.as_deref().unwrap_or("none");
                format!("{partners}webhook: {webhook}\n\n{}", credential_table(credentials, style))
            }
            other => other.other_text(style),
        }
    }

    fn other_text(&self, style: Style) -> String {
        match self {
            Self::WebhookSet { partner, url, secret } => {
                let secret = secret.as_deref().map_or_else(
                    || "its secret is the same as before\n".to_owned(),
                    |secret| format!("\n{}", shown_once(secret)),
                );
                format!("outcomes of {partner} are posted to {url}\n{secret}")
            }
            Self::WebhookRotated { partner, url, secret } => format!(
                "posts to {url} for {partner} are signed with this secret and the one before, until the next rotation\n\n{}",
                shown_once(secret)
            ),
            Self::WebhookRemoved { partner } => format!("outcomes of {partner} are no longer posted\n"),
            Self::RoleNamed { partner, arn, credential } => {
                let CredentialView { feeds, scopes, .. } = credential;
                format!("{arn} is accepted as {partner}: feeds {feeds}, scopes {}\n", scopes.join(","))
            }
            Self::RoleRemoved { partner, arn } => format!("{arn} is no longer accepted as {partner}\n"),
            Self::S3Given { uploads } => uploads.given(style),
            Self::S3Shown { uploads } => uploads.shown(style),
            Self::S3Removed { partner, removed, left } => uploads::removed(partner, removed, left),
            Self::S3Restored { stack, partners } => uploads::restored(stack, partners, style),
            _ => String::new(),
        }
    }
}

fn shown_once(secret: &str) -> String {
    format!("secret (shown once, stored only as a hash):\n  {secret}\n")
}

/// Returns the instructions for the partner: the address, and two commands that can be pasted once `KEY` is set.
fn to_the_partner(address: &str, credential: &CredentialView) -> String {
    let first = credential.feeds.split(',').next().filter(|feed| *feed != "*").unwrap_or("<feed>");
    format!(
        "Send this to the partner, and the secret on another channel:\n  \
         export API={address}\n  \
         export KEY=<the secret>\n  \
         curl -sS --fail-with-body \"$API/v1/feeds\" -H \"x-api-key: $KEY\"\n  \
         curl -sS --fail-with-body \"$API/v1/feeds/{first}/files?name=day.csv\" \\\n    \
         -H \"x-api-key: $KEY\" -H \"content-type: text/csv\" --data-binary @day.csv\n"
    )
}

fn partner_table(partners: &[PartnerView], style: Style) -> String {
    let heads = ["partner", "state", "credentials", "requests/s", "burst", "size/day"];
    let rows = partners.iter().map(|partner| {
        [
            partner.name.clone(),
            partner.state.to_owned(),
            partner.valid_credentials.to_string(),
            partner.requests_per_second.to_string(),
            partner.burst.to_string(),
            size::show(partner.bytes_per_day),
        ]
    });
    table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[0]), style)
}

fn credential_table(credentials: &[CredentialView], style: Style) -> String {
    let heads = ["credential", "state", "feeds", "scopes", "created", "ends"];
    let rows = credentials.iter().map(|credential| {
        [
            credential.id.clone(),
            credential.state.to_owned(),
            listed(&credential.feeds, style),
            credential.scopes.join(","),
            day(&credential.created).to_owned(),
            credential.ends.as_deref().map_or("never", day).to_owned(),
        ]
    });
    table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[2]), style)
}

/// Returns a list of feeds, or on a terminal the number of a long one.
fn listed(feeds: &str, style: Style) -> String {
    if style.width.is_none() || feeds.len() <= FEEDS_WIDTH {
        feeds.to_owned()
    } else {
        format!("{} feeds", feeds.split(',').count())
    }
}

/// Returns the day of an instant.
fn day(instant: &str) -> &str {
    instant.split('T').next().unwrap_or(instant)
}
