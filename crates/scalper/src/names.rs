//! Names of the stack's resources, the words of a command read into types, and the name that a mistyped one may stand
//! for.

use std::collections::BTreeSet;

use store::aws::Home;
use store::{Feeds, Scope, StackQueue};

use crate::error::CommandError;

/// The default stack.
pub(crate) const STACK: &str = "silent-scalper";

/// How the last part of a key's name begins. Keys of earlier versions, whose value is the credential, do not have it.
const USAGE: &str = "usage-";

/// Characters of a credential's id.
pub const ID_CHARACTERS: usize = 12;

/// A stack. Its names are joined with a dot, which neither a stack nor a partner may hold: two stacks or two partners
/// can never share a usage plan or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack(String);

impl Stack {
    /// Reads a name as CloudFormation has it: `[A-Za-z][A-Za-z0-9-]{0,127}`.
    pub fn parse(name: &str) -> Result<Self, CommandError> {
        let mut bytes = name.bytes();
        let fits = name.len() <= 128
            && bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits { Ok(Self(name.to_owned())) } else { Err(CommandError::NotAStack { stack: name.to_owned() }) }
    }

    /// Returns the stack's own name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the partners table.
    #[must_use]
    pub fn table(&self) -> String {
        format!("{}-partners", self.0)
    }

    /// Returns the ledger.
    #[must_use]
    pub fn ledger(&self) -> String {
        format!("{}-ledger", self.0)
    }

    /// Returns the records table.
    #[must_use]
    pub fn records(&self) -> String {
        format!("{}-records", self.0)
    }

    /// Returns the audit table.
    #[must_use]
    pub fn audit(&self) -> String {
        format!("{}-audit", self.0)
    }

    /// Returns a bucket: `inbox`, `contracts` or `quarantine`.
    #[must_use]
    pub fn bucket(&self, kind: &str, home: &Home) -> String {
        format!("{}-{kind}-{}-{}", self.0, home.account, home.region)
    }

    /// Returns a command for this stack, as it can be typed.
    #[must_use]
    pub fn command(&self, words: &str) -> String {
        if self.0 == STACK {
            format!("scalper {words}")
        } else {
            format!("scalper --stack {} {words}", self.0)
        }
    }

    /// Returns the command that sends the dead letters of a queue again.
    #[must_use]
    pub fn redrive(&self, letters: StackQueue) -> String {
        self.command(if letters == StackQueue::WebhookDeadLetters {
            "redrive --queue webhooks"
        } else {
            "redrive"
        })
    }

    /// Names this stack in each command of a text that names none, so that it can be pasted.
    #[must_use]
    pub fn spell(&self, text: &str) -> String {
        if self.0 == STACK {
            return text.to_owned();
        }
        let commands = [
            "partner", "status", "files", "show", "rejects", "receipt", "tail", "doctor", "ack", "audit",
            "redrive", "retract", "replay", "backfill", "contract", "hold", "release",
        ];
        commands.iter().fold(text.to_owned(), |text, command| {
            text.replace(&format!("scalper {command} "), &format!("scalper --stack {} {command} ", self.0))
        })
    }

    /// Returns the REST API.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}-partners", self.0)
    }

    /// Returns the usage plan of a partner.
    #[must_use]
    pub fn plan(&self, partner: &str) -> String {
        format!("{}.{partner}", self.0)
    }

    /// Returns the API Gateway key that counts the requests of a credential.
    #[must_use]
    pub fn key(&self, partner: &str, credential: &str) -> String {
        format!("{}{USAGE}{credential}", self.keys(partner))
    }

    /// Returns how the names of all API Gateway keys of a partner begin.
    #[must_use]
    pub fn keys(&self, partner: &str) -> String {
        format!("{}.{partner}.", self.0)
    }

    /// Returns how the names of all usage plans and API Gateway keys of the stack begin.
    #[must_use]
    pub fn plans(&self) -> String {
        format!("{}.", self.0)
    }

    /// Returns the kind of an API Gateway key of this partner, by its name; `None` for a key that this program did
    /// not make.
    #[must_use]
    pub fn key_kind<'k>(&self, partner: &str, key: &'k str) -> Option<KeyKind<'k>> {
        let rest = key.strip_prefix(&self.keys(partner))?;
        match rest.strip_prefix(USAGE) {
            Some(id) => is_credential(id).then_some(KeyKind::Usage(id)),
            None => is_credential(rest).then_some(KeyKind::Clear),
        }
    }
}

/// The kind of an API Gateway key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind<'k> {
    /// It counts the requests of the credential with this id, and opens nothing.
    Usage(&'k str),
    /// Made by an earlier version: its value is the credential itself, in clear.
    Clear,
}

/// Returns whether a text is an id of a credential: 12 characters of base 32 in lower case.
#[must_use]
pub fn is_credential(id: &str) -> bool {
    id.len() == ID_CHARACTERS
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte))
}

/// Reads a partner's name.
pub fn partner(name: &str) -> Result<&str, CommandError> {
    if runtime::is_name(name) {
        Ok(name)
    } else {
        Err(CommandError::NotAName { what: "partner", found: name.to_owned() })
    }
}

/// Reads the name of a partner that is to be added.
pub fn new_partner(name: &str) -> Result<&str, CommandError> {
    if [runtime::HEARTBEAT, runtime::UNKNOWN].contains(&name) {
        Err(CommandError::Reserved { found: name.to_owned() })
    } else {
        partner(name)
    }
}

/// Reads a feed's name.
pub fn feed(name: &str) -> Result<&str, CommandError> {
    if runtime::is_name(name) {
        Ok(name)
    } else {
        Err(CommandError::NotAName { what: "feed", found: name.to_owned() })
    }
}

/// Reads `*`, or feeds separated by commas.
pub fn feeds(text: &str) -> Result<Feeds, CommandError> {
    let feeds = Feeds::parse(text.trim());
    if let Feeds::Named(names) = &feeds {
        if let Some(found) = names.iter().find(|name| !runtime::is_name(name)) {
            return Err(CommandError::NotAName { what: "feed", found: found.clone() });
        }
        if names.is_empty() {
            return Err(CommandError::NoFeeds);
        }
    }
    Ok(feeds)
}

/// Reads scopes separated by commas.
pub fn scopes(text: &str) -> Result<BTreeSet<Scope>, CommandError> {
    let read = |word: &str| {
        Scope::parse(word).ok_or_else(|| CommandError::NotAScope {
            found: word.to_owned(),
            hint: hint(word, Scope::ALL.map(Scope::as_str)),
        })
    };
    text.split(',').map(str::trim).map(read).collect()
}

/// Reads the ARN of who may upload by S3: a role, a user, or a whole account, with its path.
pub fn principal(arn: &str) -> Result<String, CommandError> {
    let fits = || {
        let (_, _, resource) = iam(arn)?;
        let named = resource.strip_prefix("role/").or_else(|| resource.strip_prefix("user/"));
        // Characters of names and paths: IAM API reference, CreateRole and CreateUser. No `*`, which would be
        // everybody.
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        let part = |part: &str| !part.is_empty() && part.bytes().all(letter);
        let named = named.is_some_and(|name| name.len() <= 576 && name.split('/').all(part));
        Some(resource == "root" || named)
    };
    if fits().unwrap_or(false) {
        Ok(arn.to_owned())
    } else {
        Err(CommandError::NotAPrincipal { found: arn.to_owned() })
    }
}

/// Reads the ARN of a role, without its path: the ARN of a session, which is all that a request shows, has none, and
/// names of roles are unique in their account.
pub fn role(arn: &str) -> Result<String, CommandError> {
    let fits = || {
        let (partition, account, resource) = iam(arn)?;
        let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
        // Characters of a role's name: IAM API reference, CreateRole.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        let named = (1..=64).contains(&name.len()) && name.bytes().all(plain);
        named.then(|| format!("arn:{partition}:iam::{account}:role/{name}"))
    };
    fits().ok_or_else(|| CommandError::NotARole { found: arn.to_owned() })
}

/// Returns partition, account and resource of `arn:<partition>:iam::<12 digits>:<resource>`.
fn iam(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let known = arn == "arn" && partition.starts_with("aws") && service == "iam" && region.is_empty();
    let digits = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    let plain = partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (known && plain && digits).then_some((partition, account, resource))
}

/// How alike two names must be: from 0 (nothing in common) to 1 (equal). Above this one exchanged, missing or surplus
/// letter of a short name is found, and names that share only a few letters are not.
const ALIKE: f64 = 0.8;

/// The known name most like the one that was typed, if one is alike (Jaro-Winkler).
pub(crate) fn nearest<'n>(typed: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(typed, name), name));
    let alike = scored.filter(|(score, _)| *score > ALIKE);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// Returns `; did you mean <name>?`, or nothing.
pub(crate) fn hint<'n>(typed: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(typed, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_two_stacks_and_two_partners_never_meet() {
        let (one, other) = (Stack::parse("a").unwrap(), Stack::parse("a-b").unwrap());
        assert_ne!(one.plan("b-c"), other.plan("c"));
        let own = one.key("north", "abcdefgh2345");
        assert_eq!(one.key_kind("north", &own), Some(KeyKind::Usage("abcdefgh2345")));
        assert_eq!(one.key_kind("north", &one.key("north-clinic", "abcdefgh2345")), None);
        assert_eq!(one.key_kind("north", "a.north.abcdefgh2345"), Some(KeyKind::Clear));
        for other in ["a.north.short", "a.north.usage-short", "b.north.usage-abcdefgh2345"] {
            assert_eq!(one.key_kind("north", other), None, "{other}");
        }
        for name in ["", "1a", "a.b", "a_b", "a b", &"a".repeat(129)] {
            assert!(Stack::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn commands_in_a_text_name_the_stack_unless_it_is_the_usual_one() {
        let text = "add it with `scalper partner add north`, then\n  scalper show north/labs/day.csv\n";
        assert_eq!(Stack::parse(STACK).unwrap().spell(text), text);
        let spelled = Stack::parse("test").unwrap().spell(text);
        assert_eq!(
            spelled,
            "add it with `scalper --stack test partner add north`, then\n  scalper --stack test show north/labs/day.csv\n"
        );
        assert_eq!(Stack::parse("test").unwrap().spell(&spelled), spelled, "said once");
    }

    #[test]
    fn no_partner_can_have_the_name_of_the_heartbeat_but_its_files_can_be_listed() {
        assert!(new_partner("heartbeat").is_err_and(|rejected| rejected.exit_code() == 2));
        assert_eq!((new_partner("north").unwrap(), partner("heartbeat").unwrap()), ("north", "heartbeat"));
    }

    #[test]
    fn feeds_and_scopes_are_read_or_rejected() {
        assert_eq!(feeds("*").unwrap(), Feeds::All);
        assert_eq!(feeds("labs, charges").unwrap().to_text(), "charges,labs");
        for text in ["", ",", "Labs", "labs,*", "a/b", "../x"] {
            assert!(feeds(text).is_err(), "{text}");
        }
        assert_eq!(scopes("read, submit").unwrap(), BTreeSet::from([Scope::Submit, Scope::Read]));
        for text in ["", "read,", "admin", "*"] {
            assert!(scopes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_role_is_named_without_its_path() {
        let plain = "arn:aws:iam::123456789012:role/sender";
        assert_eq!(role(plain).unwrap(), plain);
        assert_eq!(role("arn:aws:iam::123456789012:role/a/b/sender").unwrap(), plain);
        for arn in [
            "arn:aws:iam::123456789012:user/sender",
            "arn:aws:sts::123456789012:assumed-role/sender/x",
            "arn:aws:iam::12:role/sender",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
            "sender",
        ] {
            assert!(role(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn a_principal_is_a_role_a_user_or_an_account_and_never_everybody() {
        for arn in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:role/a/b/sender",
            "arn:aws:iam::123456789012:user/north@example.org",
            "arn:aws-cn:iam::123456789012:role/sender",
        ] {
            assert_eq!(principal(arn).unwrap(), arn);
        }
        for arn in [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role//x",
            "arn:aws:iam::123456789012:group/x",
            "arn:aws:iam::*:root",
            "arn:aws:iam::123456789012:root ",
            "arn:aws:sts::123456789012:assumed-role/sender/x",
            "arn:aws:s3:::bucket",
        ] {
            assert!(principal(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn a_typing_error_is_recognised_and_another_word_is_not() {
        let known = ["charges", "labs", "scan-reports"];
        for (typed, found) in
            [("lab", "labs"), ("lbas", "labs"), ("scan_report", "scan-reports"), ("Charges", "charges")]
        {
            assert_eq!(nearest(typed, known), Some(found), "{typed}");
        }
        for typed in ["", "orders", "x", "people"] {
            assert_eq!(nearest(typed, known), None, "{typed}");
        }
        assert_eq!(hint("lbas", known), "; did you mean `labs`?");
    }

    proptest! {
        #[test]
        fn no_words_make_it_panic(text: String) {
            drop((Stack::parse(&text), feeds(&text), scopes(&text), role(&text), principal(&text)));
            if let Ok(found) = partner(&text) {
                prop_assert!(runtime::is_name(found));
            }
        }
    }
}
