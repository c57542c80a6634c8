//! Partners and credentials.

use std::collections::BTreeSet;

use super::Memory;
use crate::{
    Credential, CredentialHash, Error, Operation, Partner, PartnerLimits, ReadPartners, ReadRegistrations,
    ReadS3Principals, S3Principals, Webhook, WritePartners,
};

impl ReadRegistrations for Memory {
    async fn partner(&self, name: &str) -> Result<Option<Partner>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.partners.get(name).cloned()).await
    }
}

impl ReadPartners for Memory {
    async fn credential(&self, hash: &CredentialHash) -> Result<Option<Credential>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.credentials.get(hash).cloned()).await
    }

    async fn role(&self, arn: &str) -> Result<Option<Credential>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.roles.get(arn).cloned()).await
    }

    async fn webhook(&self, partner: &str) -> Result<Option<Webhook>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.webhooks.get(partner).cloned()).await
    }

    async fn all_partners(&self) -> Result<Vec<Partner>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.partners.values().cloned().collect()).await
    }

    async fn credentials(&self, partner: &str) -> Result<Vec<(CredentialHash, Credential)>, Error> {
        self.call(Operation::ReadPartner, |kept| {
            let all = kept.credentials.iter();
            let mut own: Vec<_> = all
                .filter(|(_, credential)| credential.partner == partner)
                .map(|(hash, credential)| (hash.clone(), credential.clone()))
                .collect();
            own.sort_by(|(_, a), (_, b)| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
            own
        })
        .await
    }
}

impl WritePartners for Memory {
    async fn put_partner(&self, partner: &Partner) -> Result<(), Error> {
        self.call(Operation::WritePartner, |kept| {
            kept.partners.insert(partner.name.clone(), partner.clone());
        })
        .await
    }

    async fn put_credential(&self, hash: &CredentialHash, credential: &Credential) -> Result<(), Error> {
        self.call(Operation::WritePartner, |kept| {
            kept.credentials.insert(hash.clone(), credential.clone());
        })
        .await
    }

    async fn put_role(&self, arn: &str, credential: Option<&Credential>) -> Result<(), Error> {
        self.call(Operation::WritePartner, |kept| {
            match credential {
                Some(credential) => kept.roles.insert(arn.to_owned(), credential.clone()),
                None => kept.roles.remove(arn),
            };
        })
        .await
    }

    async fn put_webhook(&self, partner: &str, webhook: Option<&Webhook>) -> Result<(), Error> {
        self.call(Operation::WritePartner, |kept| {
            match webhook {
                Some(webhook) => kept.webhooks.insert(partner.to_owned(), webhook.clone()),
                None => kept.webhooks.remove(partner),
            };
        })
        .await
    }
}

impl ReadS3Principals for Memory {
    async fn s3_principals(&self, partner: &str) -> Result<Option<BTreeSet<String>>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.principals.get(partner).cloned()).await
    }

    async fn all_s3_principals(&self) -> Result<Vec<(String, BTreeSet<String>)>, Error> {
        self.call(Operation::ReadPartner, |kept| kept.principals.clone().into_iter().collect()).await
    }
}

impl S3Principals for Memory {
    async fn put_s3_principals(&self, partner: &str, principals: &BTreeSet<String>) -> Result<(), Error> {
        self.call(Operation::WritePartner, |kept| {
            kept.principals.insert(partner.to_owned(), principals.clone());
        })
        .await
    }
}

/// What tests do. None of it is a counted call.
impl Memory {
    /// Registers a partner or changes whether it is active, as an operator does.
    pub fn register(&self, name: &str, active: bool) {
        let limits = PartnerLimits { requests_per_second: 1, burst: 1, bytes_per_day: 1 };
        let partner = Partner { name: name.to_owned(), active, limits, created_ms: 1 };
        self.kept().partners.insert(name.to_owned(), partner);
    }
}
