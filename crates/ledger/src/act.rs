//! Acts of operators, as the audit trail keeps them: who did what, when, why, to what, and with which result.
//!
//! No type here can hold content of a file. An act has words of this repository, numbers, ids, names of partners and
//! feeds, ARNs, and the operator's own reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::file::{digest, is_digest};
use crate::{FileId, LoadId, State};

/// Characters of an act's id: 130 bits.
const ID_CHARACTERS: usize = 26;
/// Characters of a reason.
const REASON_CHARACTERS: usize = 200;
/// Characters of a word: a partner or feed has at most 63, a load 40.
const WORD_CHARACTERS: usize = 64;
/// Characters of an ARN: the longest of IAM has a path of 512 and a name of 64.
const ARN_CHARACTERS: usize = 2_048;

words! {
    /// What an operator did: the command, its words joined by a hyphen.
    Verb {
        /// Noted that a quarantined file needs no good one.
        Ack = "ack",
        /// Added a partner, or changed its limits.
        PartnerAdd = "partner-add",
        /// Made a further credential.
        PartnerRotate = "partner-rotate",
        /// Revoked a credential.
        PartnerRevoke = "partner-revoke",
        /// Suspended a partner.
        PartnerSuspend = "partner-suspend",
        /// Ended a suspension.
        PartnerResume = "partner-resume",
        /// Changed where outcomes are posted, or the secret that signs them.
        PartnerWebhook = "partner-webhook",
        /// Named a role as a partner's, or no longer.
        PartnerRole = "partner-role",
        /// Gave S3 uploads, took them away, or put them back.
        PartnerS3 = "partner-s3",
        /// Sent a dead letter again, or removed one that asks for nothing any more.
        Redrive = "redrive",
        /// Hid the load of a file.
        Retract = "retract",
        /// Showed a retracted load again.
        RetractUndo = "retract-undo",
        /// Had files processed again.
        Replay = "replay",
        /// Published a version of a contract.
        ContractPush = "contract-push",
        /// Published an older version of a contract again.
        ContractRollback = "contract-rollback",
        /// Sent files that are in the inbox already to be processed.
        Backfill = "backfill",
        /// Let the files of a feed wait.
        Hold = "hold",
        /// Let the files of a feed be processed again, and sent those that waited.
        Release = "release",
    }
}

words! {
    /// What an act changed, or how much it did.
    DetailName {
        /// The state of a file or a partner.
        State = "state",
        /// A credential, by its public id.
        Credential = "credential",
        /// The feeds that a credential opens.
        Feeds = "feeds",
        /// What a credential may do.
        Scopes = "scopes",
        /// When a credential expires.
        Expires = "expires",
        /// Requests per second.
        RequestsPerSecond = "requestsPerSecond",
        /// Requests in one burst.
        Burst = "burst",
        /// Bytes per day.
        BytesPerDay = "bytesPerDay",
        /// Requests per day, counted by API Gateway.
        RequestsPerDay = "requestsPerDay",
        /// Keys of API Gateway that were made or deleted.
        Keys = "keys",
        /// The address to which outcomes are posted: whether there is one.
        Address = "address",
        /// The secret that signs outcomes: whether there is one, and whether it is new.
        Secret = "secret",
        /// An IAM role.
        Role = "role",
        /// A principal that uploads by S3.
        Principal = "principal",
        /// The statement of a partner in the bucket policy, and the grants of the key that go with it.
        Statement = "statement",
        /// Partners.
        Partners = "partners",
        /// A dead letter: whether it was sent again or removed.
        Letter = "letter",
        /// Whether a file is open: quarantined, and in need of a good one.
        Open = "open",
        /// The load of the file that is visible.
        VisibleLoad = "visibleLoad",
        /// Another version of the file's name that is visible in its place, or was.
        ShownFile = "shownFile",
        /// Files.
        Files = "files",
        /// Files that were to be handled and were not.
        FilesLeft = "filesLeft",
        /// The object version of a contract that was published.
        ContractVersion = "contractVersion",
        /// Whether the files of a feed wait.
        Hold = "hold",
    }
}

words! {
    /// How an act ended.
    ActResult {
        /// It changed something.
        Done = "done",
        /// Everything was as asked before.
        Nothing = "nothing",
        /// It ended with an error, and may have changed a part.
        Failed = "failed",
        /// The operator ended it with Ctrl-C: what it changed is a part.
        Interrupted = "interrupted",
    }
}

/// The id of an act: 26 lower-case base-32 characters. It is made before the first attempt to write the act, so that a
/// write whose answer was lost is the same item when it is repeated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ActId(String);

impl ActId {
    /// Makes the id of 128 random bits.
    #[must_use]
    pub fn of(random: [u8; 16]) -> Self {
        Self(digest(&[&random], ID_CHARACTERS))
    }

    /// Reads an id back; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_digest(text, ID_CHARACTERS).then(|| Self(text.to_owned()))
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An ARN, such as that of a caller: `arn:aws:sts::123456789012:assumed-role/operator/ann`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Arn(String);

impl Arn {
    /// Reads an ARN, `arn:<partition>:<service>:<region>:<account>:<resource>`, which has no blanks. `None` for another
    /// text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = text.splitn(6, ':').count() == 6 && text.starts_with("arn:");
        let plain = text.chars().all(|letter| !letter.is_control() && !letter.is_whitespace());
        (parts && plain && text.chars().count() <= ARN_CHARACTERS).then(|| Self(text.to_owned()))
    }

    /// Returns the ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the resource without its kind: `operator/ann` of an assumed role, `ann` of a user, `root` of the
    /// account.
    #[must_use]
    pub fn resource(&self) -> &str {
        let resource = self.0.splitn(6, ':').last().unwrap_or_default();
        resource.split_once('/').map_or(resource, |(_, name)| name)
    }
}

impl TryFrom<String> for Arn {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an ARN")
    }
}

/// Who acts: an operator, by the name that AWS has for them, or a partner by the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Actor {
    /// The caller of AWS.
    Aws(Arn),
    /// A partner, with the public id of the credential.
    Partner {
        /// The partner.
        partner: ActWord,
        /// The credential's id.
        credential: ActWord,
    },
}

/// How the text of a partner begins. No ARN does.
const PARTNER: &str = "partner";

impl Actor {
    /// Makes the actor of a partner's credential. The id of a token's, `jwt:<hash>`, is kept with a hyphen. `None` for
    /// names that are no words.
    #[must_use]
    pub fn partner(partner: &str, credential: &str) -> Option<Self> {
        let credential = ActWord::parse(&credential.replace(':', "-"))?;
        Some(Self::Partner { partner: ActWord::parse(partner)?, credential })
    }

    /// Reads an actor back; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(arn) = Arn::parse(text) {
            return Some(Self::Aws(arn));
        }
        let (partner, credential) = text.strip_prefix(PARTNER)?.strip_prefix('/')?.split_once('/')?;
        Some(Self::Partner { partner: ActWord::parse(partner)?, credential: ActWord::parse(credential)? })
    }

    /// Returns it without what every actor of its kind has: `operator/ann` or `partner/north/q2vbqz6dshv5`.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Aws(arn) => arn.resource().to_owned(),
            Self::Partner { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(arn) => formatter.write_str(arn.as_str()),
            Self::Partner { partner, credential } => {
                write!(formatter, "{PARTNER}/{}/{}", partner.as_str(), credential.as_str())
            }
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// Why an operator acts, in their own words: one line of at most 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActReason(String);

impl ActReason {
    /// Reads a reason, without the blanks around it.
    ///
    /// # Errors
    /// A text for the operator: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let characters = text.chars().count();
        if text.is_empty() {
            Err("expected a reason, for example --reason 'a test file'".to_owned())
        } else if characters > REASON_CHARACTERS {
            Err(format!("{characters} characters; at most {REASON_CHARACTERS} allowed"))
        } else if text.contains(char::is_control) {
            Err("it has control characters; expected one line of text".to_owned())
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// Returns the reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A word that this stack or its operator made up: the name of a partner or a feed, the version of a contract, the id
/// of a credential, the name of an error. At most 64 ASCII letters, digits and `._+*-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ActWord(String);

impl ActWord {
    /// Keeps such a text; `None` for another one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+*-".contains(&byte);
        ((1..=WORD_CHARACTERS).contains(&text.len()) && text.bytes().all(plain))
            .then(|| Self(text.to_owned()))
    }

    /// Returns the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ActWord {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a word")
    }
}

/// What an act is about. Each member is an index by which acts are found, but for the version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActSubject {
    /// The partner.
    pub partner: Option<ActWord>,
    /// The feed.
    pub feed: Option<ActWord>,
    /// The file.
    pub file: Option<FileId>,
    /// The version of a contract.
    pub contract_version: Option<ActWord>,
}

impl ActSubject {
    /// Makes the subject of an act on a partner. A text that is no name gives none.
    #[must_use]
    pub fn partner(name: &str) -> Self {
        Self { partner: ActWord::parse(name), ..Self::default() }
    }

    /// Makes the subject of an act on a feed.
    #[must_use]
    pub fn feed(name: &str) -> Self {
        Self { feed: ActWord::parse(name), ..Self::default() }
    }

    /// Makes the subject of an act on a file, of the partner and feed that its key names.
    #[must_use]
    pub fn file(file: &FileId, partner: &str, feed: &str) -> Self {
        Self {
            partner: ActWord::parse(partner),
            feed: ActWord::parse(feed),
            file: Some(file.clone()),
            contract_version: None,
        }
    }
}

/// An act: what is known before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Its own id.
    pub id: ActId,
    /// When it began, milliseconds since the epoch.
    pub at_ms: u64,
    /// Who acts.
    pub by: Actor,
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub subject: ActSubject,
    /// Why, when the operator said it.
    pub reason: Option<ActReason>,
}

/// How an act ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActEnd {
    /// When it ended, milliseconds since the epoch.
    pub at_ms: u64,
    /// How.
    pub result: ActResult,
    /// The name of the error, when it failed.
    pub error: Option<ActWord>,
    /// What was changed.
    pub details: Vec<ActDetail>,
}

/// An act as the trail has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRecord {
    /// The act.
    pub act: Act,
    /// How it ended; `None`: it has not ended yet, or it was interrupted.
    pub end: Option<ActEnd>,
}

/// One thing that an act changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActDetail {
    /// What.
    pub name: DetailName,
    /// What it was; `None`: nothing, or it does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<DetailValue>,
    /// What it is; `None`: nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DetailValue>,
}

impl ActDetail {
    /// Makes the detail of something that is new, or that was done.
    #[must_use]
    pub fn new(name: DetailName, after: DetailValue) -> Self {
        Self { name, before: None, after: Some(after) }
    }

    /// Makes the detail of something that is no more.
    #[must_use]
    pub fn gone(name: DetailName, before: DetailValue) -> Self {
        Self { name, before: Some(before), after: None }
    }

    /// Makes the detail of a change; `None` where nothing changed.
    #[must_use]
    pub fn change(name: DetailName, before: Option<DetailValue>, after: DetailValue) -> Option<Self> {
        (before.as_ref() != Some(&after)).then_some(Self { name, before, after: Some(after) })
    }
}

/// A value of a detail: never one of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DetailValue {
    /// A number of things.
    Count(u64),
    /// An instant, milliseconds since the epoch.
    Instant(u64),
    /// Whether there is one.
    Present(bool),
    /// The state of a file.
    State(State),
    /// A file.
    File(FileId),
    /// A load.
    Load(LoadId),
    /// A word.
    Word(ActWord),
    /// Words.
    Words(Vec<ActWord>),
    /// An ARN.
    Arn(Arn),
}

impl DetailValue {
    /// Makes the value of a word; a text that is none gives no words.
    #[must_use]
    pub fn word(text: &str) -> Self {
        ActWord::parse(text).map_or_else(|| Self::Words(Vec::new()), Self::Word)
    }

    /// Makes the value of words, and leaves out what is none.
    pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self::Words(words.into_iter().filter_map(ActWord::parse).collect())
    }
}

impl fmt::Display for DetailValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Instant(ms) => formatter.write_str(&crate::format_instant(*ms)),
            Self::Present(true) => formatter.write_str("set"),
            Self::Present(false) => formatter.write_str("none"),
            Self::State(state) => formatter.write_str(state.as_str()),
            Self::File(file) => formatter.write_str(file.as_str()),
            Self::Load(load) => formatter.write_str(load.as_str()),
            Self::Word(word) => formatter.write_str(word.as_str()),
            Self::Words(words) => {
                let words: Vec<&str> = words.iter().map(ActWord::as_str).collect();
                formatter.write_str(&words.join(","))
            }
            Self::Arn(arn) => formatter.write_str(arn.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
