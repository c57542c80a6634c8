//! Partners and credentials.

use super::super::Memory;
use crate::door::{Credential, CredentialHash, Partner, Partners, ReadPartner, Webhook};
use crate::{Error, Operation};

impl ReadPartner for Memory {
    async fn partner(&self, name: &str) -> Result<Option<Partner>, Error> {
        self.call(Operation::ReadPartner, |world| world.door.partners.get(name).cloned()).await
    }
}

impl Partners for Memory {
    async fn credential(&self, hash: &CredentialHash) -> Result<Option<Credential>, Error> {
        self.call(Operation::ReadPartner, |world| world.door.credentials.get(hash).cloned()).await
    }

    async fn role(&self, arn: &str) -> Result<Option<Credential>, Error> {
        self.call(Operation::ReadPartner, |world| world.door.roles.get(arn).cloned()).await
    }

    async fn webhook(&self, partner: &str) -> Result<Option<Webhook>, Error> {
        self.call(Operation::ReadPartner, |world| world.door.webhooks.get(partner).cloned()).await
    }

    async fn all_partners(&self) -> Result<Vec<Partner>, Error> {
        self.call(Operation::ReadPartner, |world| world.door.partners.values().cloned().collect()).await
    }

    async fn credentials(&self, partner: &str) -> Result<Vec<(CredentialHash, Credential)>, Error> {
        self.call(Operation::ReadPartner, |world| {
            let all = world.door.credentials.iter();
            let mut own: Vec<_> = all
                .filter(|(_, credential)| credential.partner == partner)
                .map(|(hash, credential)| (hash.clone(), credential.clone()))
                .collect();
            own.sort_by(|(_, a), (_, b)| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
            own
        })
        .await
    }

    async fn put_partner(&self, partner: &Partner) -> Result<(), Error> {
        self.call(Operation::WritePartner, |world| {
            world.door.partners.insert(partner.name.clone(), partner.clone());
        })
        .await
    }

    async fn put_credential(&self, hash: &CredentialHash, credential: &Credential) -> Result<(), Error> {
        self.call(Operation::WritePartner, |world| {
            world.door.credentials.insert(hash.clone(), credential.clone());
        })
        .await
    }

    async fn put_role(&self, arn: &str, credential: Option<&Credential>) -> Result<(), Error> {
        self.call(Operation::WritePartner, |world| {
            match credential {
                Some(credential) => world.door.roles.insert(arn.to_owned(), credential.clone()),
                None => world.door.roles.remove(arn),
            };
        })
        .await
    }

    async fn put_webhook(&self, partner: &str, webhook: Option<&Webhook>) -> Result<(), Error> {
        self.call(Operation::WritePartner, |world| {
            match webhook {
                Some(webhook) => world.door.webhooks.insert(partner.to_owned(), webhook.clone()),
                None => world.door.webhooks.remove(partner),
            };
        })
        .await
    }
}
