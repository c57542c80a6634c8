//! Partners, credentials, roles, webhooks: whole items, read as they were written.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::entry::{Attributes, Reader, number, text};
use super::table::{Key, Table, attributes};
use crate::door::{
    Credential, CredentialHash, Feeds, Limits, Partner, Partners, ReadPartner, Scope, Webhook,
};
use crate::{Error, Operation};

const PARTNERS: &str = "partners";
const CREDENTIAL: &str = "credential";
const ROLE: &str = "role";
const WEBHOOK: &str = "webhook";

/// What has the partners table.
pub(super) trait InTable: Sync {
    fn table(&self) -> &Table;
}

impl<T: InTable> ReadPartner for T {
    async fn partner(&self, name: &str) -> Result<Option<Partner>, Error> {
        read_partner(self.table(), name).await
    }
}

/// Reads who is registered under a name.
pub(super) async fn read_partner(table: &Table, name: &str) -> Result<Option<Partner>, Error> {
    read(table, Key::new(PARTNERS, name), partner).await
}

impl<T: InTable> Partners for T {
    async fn credential(&self, hash: &CredentialHash) -> Result<Option<Credential>, Error> {
        read(self.table(), by_hash(hash), credential).await
    }

    async fn role(&self, arn: &str) -> Result<Option<Credential>, Error> {
        read(self.table(), by_role(arn), credential).await
    }

    async fn webhook(&self, partner: &str) -> Result<Option<Webhook>, Error> {
        read(self.table(), by_webhook(partner), webhook).await
    }

    async fn all_partners(&self) -> Result<Vec<Partner>, Error> {
        let items = self.table().partition(Operation::ReadPartner, PARTNERS.to_owned(), "").await?;
        items.iter().map(|item| partner(item).ok_or_else(malformed)).collect()
    }

    async fn credentials(&self, partner: &str) -> Result<Vec<(CredentialHash, Credential)>, Error> {
        let of_partner = self.table().partition(Operation::ReadPartner, own(partner), "credential#").await?;
        let mut found = of_partner
            .iter()
            .map(|item| {
                let hash = CredentialHash::parse(&Reader(item).text("hash")?)?;
                Some((hash, credential(item)?))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(malformed)?;
        found.sort_by(|(_, a), (_, b)| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        Ok(found)
    }

    async fn put_partner(&self, partner: &Partner) -> Result<(), Error> {
        let Partner { name, active, limits, created_ms } = partner;
        let item = Key::new(PARTNERS, name).item(attributes([
            ("active", AttributeValue::Bool(*active)),
            ("requests_per_second", number(limits.requests_per_second)),
            ("burst", number(limits.burst)),
            ("bytes_per_day", number(limits.bytes_per_day)),
            ("created_ms", number(*created_ms)),
        ]));
        self.table().put(Operation::WritePartner, item).await
    }

    async fn put_credential(&self, hash: &CredentialHash, credential: &Credential) -> Result<(), Error> {
        let mut item = credential_attributes(credential);
        item.insert("hash".to_owned(), text(hash.as_str()));
        let listed = Key::new(own(&credential.partner), format!("credential#{}", credential.id));
        let both = [by_hash(hash).item(item.clone()), listed.item(item)];
        self.table().put_together(Operation::WritePartner, both).await
    }

    async fn put_role(&self, arn: &str, credential: Option<&Credential>) -> Result<(), Error> {
        match credential {
            Some(credential) => {
                let item = by_role(arn).item(credential_attributes(credential));
                self.table().put(Operation::WritePartner, item).await
            }
            None => self.table().delete(Operation::WritePartner, by_role(arn), None).await,
        }
    }

    async fn put_webhook(&self, partner: &str, webhook: Option<&Webhook>) -> Result<(), Error> {
        let Some(Webhook { url, secret, previous_secret }) = webhook else {
            return self.table().delete(Operation::WritePartner, by_webhook(partner), None).await;
        };
        let mut item = attributes([("url", text(url)), ("secret", text(secret))]);
        item.extend(previous_secret.as_ref().map(|secret| ("previous_secret".to_owned(), text(secret))));
        self.table().put(Operation::WritePartner, by_webhook(partner).item(item)).await
    }
}

fn by_hash(hash: &CredentialHash) -> Key {
    Key::new(format!("credential#{}", hash.as_str()), CREDENTIAL)
}

fn by_role(arn: &str) -> Key {
    Key::new(format!("role#{arn}"), ROLE)
}

fn by_webhook(partner: &str) -> Key {
    Key::new(format!("webhook#{partner}"), WEBHOOK)
}

fn own(partner: &str) -> String {
    format!("partner#{partner}")
}

async fn read<T>(table: &Table, key: Key, read: fn(&Attributes) -> Option<T>) -> Result<Option<T>, Error> {
    let item = table.get(Operation::ReadPartner, key).await?;
    item.map(|item| read(&item).ok_or_else(malformed)).transpose()
}

/// An item that cannot be read opens nothing.
fn malformed() -> Error {
    Error::new(Operation::ReadPartner, "malformed item")
}

fn partner(item: &Attributes) -> Option<Partner> {
    let read = Reader(item);
    Some(Partner {
        name: read.text("sk")?,
        active: *item.get("active")?.as_bool().ok()?,
        limits: Limits {
            requests_per_second: read.number("requests_per_second")?,
            burst: read.number("burst")?,
            bytes_per_day: read.number("bytes_per_day")?,
        },
        created_ms: read.number("created_ms")?,
    })
}

fn credential_attributes(credential: &Credential) -> Attributes {
    let Credential { id, partner, feeds, scopes, created_ms, expires_ms, revoked_ms, gateway_key } =
        credential;
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let mut item = attributes([
        ("id", text(id)),
        ("partner", text(partner)),
        ("feeds", text(feeds.to_text())),
        ("scopes", text(scopes.join(" "))),
        ("created_ms", number(*created_ms)),
    ]);
    item.extend(expires_ms.map(|at| ("expires_ms".to_owned(), number(at))));
    item.extend(revoked_ms.map(|at| ("revoked_ms".to_owned(), number(at))));
    item.extend(gateway_key.as_ref().map(|key| ("gateway_key".to_owned(), text(key))));
    item
}

fn credential(item: &Attributes) -> Option<Credential> {
    let read = Reader(item);
    let scopes = read.text("scopes")?;
    // Earlier versions wrote words that opened nothing.
    let scopes: BTreeSet<_> = scopes.split_whitespace().filter_map(Scope::parse).collect();
    Some(Credential {
        id: read.text("id")?,
        partner: read.text("partner")?,
        feeds: Feeds::parse(&read.text("feeds")?),
        scopes,
        created_ms: read.number("created_ms")?,
        expires_ms: instant(item, "expires_ms")?,
        revoked_ms: instant(item, "revoked_ms")?,
        gateway_key: read.text("gateway_key"),
    })
}

/// An instant that may be absent. One that is there must be read: a revocation that is overlooked would open the door.
#[expect(clippy::option_option, reason = "absent is not malformed")]
fn instant(item: &Attributes, name: &str) -> Option<Option<u64>> {
    if item.contains_key(name) { Reader(item).number(name).map(Some) } else { Some(None) }
}

fn webhook(item: &Attributes) -> Option<Webhook> {
    let read = Reader(item);
    Some(Webhook {
        url: read.text("url")?,
        secret: read.text("secret")?,
        previous_secret: read.text("previous_secret"),
    })
}
