//! The partners table: partners, credentials, roles, webhooks, and who uploads by S3. Whole items, read as they were
//! written. What the API notes of requests is in `requests`.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::dynamodb::{
    Attributes, ItemKey, ItemReader, Table, TableQuery, attributes, malformed, number, text,
};
use super::failure::failure;
use crate::{
    Credential, CredentialHash, Error, Feeds, Operation, Partner, PartnerLimits, ReadPartners,
    ReadRegistrations, ReadS3Principals, S3Principals, Scope, Webhook, WritePartners,
};

const PARTNERS: &str = "partners";
const CREDENTIAL: &str = "credential";
const ROLE: &str = "role";
const WEBHOOK: &str = "webhook";
const S3: &str = "s3";

/// The partners table: partition key `pk`, sort key `sk` (strings), time to live `ends` (seconds).
#[derive(Clone)]
pub struct PartnersTable {
    pub(super) table: Table,
}

impl PartnersTable {
    /// Makes the table of this name.
    #[must_use]
    pub fn new(client: &Client, name: &str) -> Self {
        Self { table: Table::new(client, name) }
    }

    /// Returns all items of a partition whose sort key begins so, in its order.
    async fn partition(&self, partition: String, prefix: Option<&str>) -> Result<Vec<Attributes>, Error> {
        let mut values = attributes([(":pk", text(partition))]);
        values.extend(prefix.map(|prefix| (":prefix".to_owned(), text(prefix))));
        let condition =
            if prefix.is_some() { "#pk = :pk AND begins_with(#sk, :prefix)" } else { "#pk = :pk" };
        let query = TableQuery {
            operation: Operation::ReadPartner,
            index: None,
            condition,
            filter: None,
            values,
            newest_first: false,
            limit: None,
        };
        self.table.all(&query).await
    }
}

impl<T: AsRef<PartnersTable> + Sync> ReadRegistrations for T {
    async fn partner(&self, name: &str) -> Result<Option<Partner>, Error> {
        read(&self.as_ref().table, ItemKey::sorted(PARTNERS, name), partner).await
    }
}

impl<T: AsRef<PartnersTable> + Sync> ReadPartners for T {
    async fn credential(&self, hash: &CredentialHash) -> Result<Option<Credential>, Error> {
        read(&self.as_ref().table, by_hash(hash), credential).await
    }

    async fn role(&self, arn: &str) -> Result<Option<Credential>, Error> {
        read(&self.as_ref().table, by_role(arn), credential).await
    }

    async fn webhook(&self, partner: &str) -> Result<Option<Webhook>, Error> {
        read(&self.as_ref().table, by_webhook(partner), webhook).await
    }

    async fn all_partners(&self) -> Result<Vec<Partner>, Error> {
        let items = self.as_ref().partition(PARTNERS.to_owned(), None).await?;
        items.iter().map(|item| partner(item).ok_or_else(unread)).collect()
    }

    async fn credentials(&self, partner: &str) -> Result<Vec<(CredentialHash, Credential)>, Error> {
        let of_partner = self.as_ref().partition(own(partner), Some("credential#")).await?;
        let mut found = of_partner
            .iter()
            .map(|item| {
                let hash = CredentialHash::parse(&ItemReader(item).text("hash")?)?;
                Some((hash, credential(item)?))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(unread)?;
        found.sort_by(|(_, a), (_, b)| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        Ok(found)
    }
}

impl<T: AsRef<PartnersTable> + Sync> WritePartners for T {
    async fn put_partner(&self, partner: &Partner) -> Result<(), Error> {
        let Partner { name, active, limits, created_ms } = partner;
        let item = ItemKey::sorted(PARTNERS, name).item(attributes([
            ("active", AttributeValue::Bool(*active)),
            ("requests_per_second", number(limits.requests_per_second)),
            ("burst", number(limits.burst)),
            ("bytes_per_day", number(limits.bytes_per_day)),
            ("created_ms", number(*created_ms)),
        ]));
        self.as_ref().table.put(Operation::WritePartner, item).await
    }

    async fn put_credential(&self, hash: &CredentialHash, credential: &Credential) -> Result<(), Error> {
        let mut item = credential_attributes(credential);
        item.insert("hash".to_owned(), text(hash.as_str()));
        let listed = ItemKey::sorted(own(&credential.partner), format!("credential#{}", credential.id));
        let both = [by_hash(hash).item(item.clone()), listed.item(item)];
        self.as_ref().put_together(both).await
    }

    async fn put_role(&self, arn: &str, credential: Option<&Credential>) -> Result<(), Error> {
        match credential {
            Some(credential) => {
                let item = by_role(arn).item(credential_attributes(credential));
                self.as_ref().table.put(Operation::WritePartner, item).await
            }
            None => self.as_ref().table.delete(Operation::WritePartner, by_role(arn), None).await,
        }
    }

    async fn put_webhook(&self, partner: &str, webhook: Option<&Webhook>) -> Result<(), Error> {
        let Some(Webhook { url, secret, previous_secret }) = webhook else {
            return self.as_ref().table.delete(Operation::WritePartner, by_webhook(partner), None).await;
        };
        let mut item = attributes([("url", text(url)), ("secret", text(secret))]);
        item.extend(previous_secret.as_ref().map(|secret| ("previous_secret".to_owned(), text(secret))));
        self.as_ref().table.put(Operation::WritePartner, by_webhook(partner).item(item)).await
    }
}

impl PartnersTable {
    /// Puts both items or none.
    async fn put_together(&self, items: [Attributes; 2]) -> Result<(), Error> {
        let operation = Operation::WritePartner;
        let put = |item| self.table.put_part(operation, item, None, Attributes::new());
        let writes = items.into_iter().map(put).collect::<Result<Vec<_>, _>>()?;
        self.table.transact(writes, None).await.map_err(|error| failure(operation, &error))
    }
}

impl<T: AsRef<PartnersTable> + Sync> ReadS3Principals for T {
    async fn s3_principals(&self, partner: &str) -> Result<Option<BTreeSet<String>>, Error> {
        let table = &self.as_ref().table;
        let item = table.get(Operation::ReadPartner, ItemKey::sorted(S3, partner)).await?;
        item.map(|item| principals(&item)).transpose()
    }

    async fn all_s3_principals(&self) -> Result<Vec<(String, BTreeSet<String>)>, Error> {
        let items = self.as_ref().partition(S3.to_owned(), None).await?;
        let read = |item: &Attributes| {
            let partner = ItemReader(item).text("sk").ok_or_else(unread)?;
            Ok((partner, principals(item)?))
        };
        items.iter().map(read).collect()
    }
}

impl<T: AsRef<PartnersTable> + Sync> S3Principals for T {
    async fn put_s3_principals(&self, partner: &str, principals: &BTreeSet<String>) -> Result<(), Error> {
        // A text and not a set, which may not be empty. An ARN has no blank.
        let all: Vec<&str> = principals.iter().map(String::as_str).collect();
        let item = ItemKey::sorted(S3, partner).item(attributes([("principals", text(all.join(" ")))]));
        self.as_ref().table.put(Operation::WritePartner, item).await
    }
}

fn by_hash(hash: &CredentialHash) -> ItemKey {
    ItemKey::sorted(format!("credential#{}", hash.as_str()), CREDENTIAL)
}

fn by_role(arn: &str) -> ItemKey {
    ItemKey::sorted(format!("role#{arn}"), ROLE)
}

fn by_webhook(partner: &str) -> ItemKey {
    ItemKey::sorted(format!("webhook#{partner}"), WEBHOOK)
}

fn own(partner: &str) -> String {
    format!("partner#{partner}")
}

/// Reads an item; one that cannot be read opens nothing.
async fn read<T>(
    table: &Table,
    key: ItemKey,
    read: fn(&Attributes) -> Option<T>,
) -> Result<Option<T>, Error> {
    table.read(Operation::ReadPartner, key, read).await
}

fn unread() -> Error {
    malformed(Operation::ReadPartner)
}

fn principals(item: &Attributes) -> Result<BTreeSet<String>, Error> {
    let principals = ItemReader(item).text("principals").ok_or_else(unread)?;
    Ok(principals.split_whitespace().map(str::to_owned).collect())
}

fn partner(item: &Attributes) -> Option<Partner> {
    let read = ItemReader(item);
    Some(Partner {
        name: read.text("sk")?,
        active: *item.get("active")?.as_bool().ok()?,
        limits: PartnerLimits {
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
    let read = ItemReader(item);
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

/// Returns an instant that may be absent. One that is there must be read: an overlooked revocation would let the
/// caller in.
#[expect(clippy::option_option, reason = "absent is not malformed")]
fn instant(item: &Attributes, name: &str) -> Option<Option<u64>> {
    if item.contains_key(name) { ItemReader(item).number(name).map(Some) } else { Some(None) }
}

fn webhook(item: &Attributes) -> Option<Webhook> {
    let read = ItemReader(item);
    Some(Webhook {
        url: read.text("url")?,
        secret: read.text("secret")?,
        previous_secret: read.text("previous_secret"),
    })
}

#[cfg(test)]
mod tests;
