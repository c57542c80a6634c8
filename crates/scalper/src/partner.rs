//! Partners and their credentials.
//!
//! ```text
//! add     usage plan ─▶ keys as they should be ─▶ key ─▶ key on the plan ─▶ partner ─▶ credential: from here on it opens
//! revoke  credential: from here on it opens nothing ─▶ key
//! ```
//!
//! The credential is written last and taken back first, so that a command that is killed leaves nothing open that it
//! did not mean to. A key at API Gateway only counts requests: it opens nothing. One whose credential was never
//! written, or is valid no more, is left over: the next `add` or `rotate` deletes it, and makes and counts those that
//! valid credentials lack. A partner has at most two valid credentials.

mod acts;
mod roles;
mod s3;
mod webhooks;

use std::collections::BTreeSet;

use outbound::AddressPolicy;
use runtime::DAY_MS;
use store::{
    ActDetail, CallerIdentity, Credential, CredentialHash, DetailName, DetailValue, Feeds, InboxAccess,
    Partner, PartnerLimits, S3Principals, Scope, WriteAudit, WritePartners, usage_key,
};

use crate::arguments::{Add, GrantArguments, PartnerCommand, Rotate};
use crate::audited::{Audited, Auditor, Effect};
use crate::error::CommandError;
use crate::gateway::{Gateway, GatewayKey, Plan};
use crate::names::{self, Stack};
use crate::report::{CommandReport, CredentialView, PartnerView};
use crate::secret::{self, Random};

/// What commands work on.
pub struct Operator<S, G, U, T> {
    /// The partners table.
    pub partners: S,
    /// API Gateway.
    pub gateway: G,
    /// Who may upload by S3.
    pub uploads: U,
    /// The stack.
    pub stack: Stack,
    /// Now, milliseconds since the epoch.
    pub now_ms: u64,
    /// Where secrets come from.
    pub random: Random,
    /// Where webhooks may be.
    pub policy: AddressPolicy,
    /// Notes what is changed.
    pub auditor: Auditor<T>,
}

/// What a credential opens, and until when.
struct Grant {
    feeds: Feeds,
    scopes: BTreeSet<Scope>,
    expires_ms: Option<u64>,
}

/// The usage plan of a partner, and how many of its keys were made, named or deleted to put it right.
struct RepairedPlan {
    plan: String,
    keys: u64,
}

/// Who uploads by S3: as remembered, and as the inbox lets them.
pub trait Uploads: S3Principals + InboxAccess {}

impl<T: S3Principals + InboxAccess> Uploads for T {}

impl<S: WritePartners, G: Gateway, U: Uploads, T: WriteAudit + CallerIdentity> Operator<S, G, U, T> {
    /// Carries out a command. One that changes something is noted in the audit trail; what was not understood calls
    /// nothing.
    pub async fn run(&self, command: PartnerCommand) -> Result<Audited<CommandReport>, CommandError> {
        self.check(&command)?;
        match acts::planned(&command) {
            Some(planned) => self.auditor.audited(planned, self.carry_out(command)).await,
            None => self.carry_out(command).await.map(|effect| Audited::unchanged(effect.report)),
        }
    }
}

impl<S: WritePartners, G: Gateway, U: Uploads, T> Operator<S, G, U, T> {
    async fn carry_out(&self, command: PartnerCommand) -> Result<Effect<CommandReport>, CommandError> {
        match command {
            PartnerCommand::Add(add) => self.add(&add).await,
            PartnerCommand::Rotate(rotate) => self.rotate(&rotate).await,
            PartnerCommand::Revoke { name, credential, .. } => self.revoke(&name, &credential).await,
            PartnerCommand::List { name: None } => self.list().await.map(|report| Effect::new(report, [])),
            PartnerCommand::List { name: Some(name) } => {
                self.show(&name).await.map(|report| Effect::new(report, []))
            }
            PartnerCommand::Suspend { name, .. } => self.set_active(&name, false).await,
            PartnerCommand::Resume { name, .. } => self.set_active(&name, true).await,
            PartnerCommand::Webhook(webhook) => self.webhook(&webhook).await,
            PartnerCommand::Role(role) => self.role(&role).await,
            PartnerCommand::S3(s3) => self.s3(&s3).await,
        }
    }

    /// Checks the words of a command.
    fn check(&self, command: &PartnerCommand) -> Result<(), CommandError> {
        let name = match command {
            PartnerCommand::Add(add) => {
                self.grant(&add.grant, Feeds::All, BTreeSet::new())?;
                names::new_partner(&add.name)?
            }
            PartnerCommand::Rotate(rotate) => {
                self.grant(&rotate.grant, Feeds::All, BTreeSet::new())?;
                &rotate.name
            }
            PartnerCommand::Webhook(webhook) => {
                self.check_address(webhook)?;
                &webhook.name
            }
            PartnerCommand::Role(role) => {
                names::role(&role.arn)?;
                names::feeds(&role.feeds)?;
                names::scopes(&role.scopes)?;
                &role.name
            }
            PartnerCommand::S3(s3) => {
                s3.principals.iter().try_for_each(|arn| names::principal(arn).map(drop))?;
                let Some(name) = &s3.name else { return Ok(()) };
                name
            }
            PartnerCommand::Revoke { name, .. }
            | PartnerCommand::Suspend { name, .. }
            | PartnerCommand::Resume { name, .. }
            | PartnerCommand::List { name: Some(name) } => name,
            PartnerCommand::List { name: None } => return Ok(()),
        };
        names::partner(name).map(drop)
    }

    async fn add(&self, add: &Add) -> Result<Effect<CommandReport>, CommandError> {
        let name = names::new_partner(&add.name)?;
        let grant = self.grant(&add.grant, Feeds::All, BTreeSet::from([Scope::Submit, Scope::Read]))?;
        // Asked before a secret is made: a failure here must not lose one.
        let address = self.gateway.address().await?;
        let before = self.partners.partner(name).await?;
        let partner = with_limits(before.as_ref(), add, self.now_ms);
        let credentials = self.partners.credentials(name).await?;
        let repaired = self.repair(&partner, &credentials, add.requests_per_day).await?;
        let valid = self.valid(&credentials);
        let mut details = acts::limits(before.as_ref(), &partner, add.requests_per_day);
        details.extend(acts::keys(&repaired));
        if !valid.is_empty() {
            self.put_changed(before.as_ref(), &partner).await?;
            let report = CommandReport::Kept {
                partner: self.view(&partner, &credentials),
                credentials: self.views(&valid),
                address,
                grant_ignored: add.grant != GrantArguments::default(),
            };
            return Ok(Effect::new(report, details));
        }
        let (key, secret, credential) = self.make_key(name, &repaired.plan, grant).await?;
        self.put_changed(before.as_ref(), &partner).await?;
        self.partners.put_credential(&key, &credential).await?;
        details.extend(acts::made(&credential));
        let all = [credentials, vec![(key, credential.clone())]].concat();
        let (partner, credential) = (self.view(&partner, &all), self.credential_view(&credential));
        Ok(Effect::new(CommandReport::Added { partner, credential, secret, address }, details))
    }

    async fn rotate(&self, rotate: &Rotate) -> Result<Effect<CommandReport>, CommandError> {
        let partner = self.known(&rotate.name).await?;
        let credentials = self.partners.credentials(&partner.name).await?;
        let valid = self.valid(&credentials);
        if let [first, second, ..] = valid.as_slice() {
            let (first, second) = (first.id.clone(), second.id.clone());
            return Err(CommandError::TwoCredentials { partner: partner.name, first, second });
        }
        let model = match &rotate.credential {
            Some(id) => find(&partner.name, id, &credentials)?.1,
            None => valid
                .last()
                .copied()
                .or_else(|| credentials.last().map(|(_, credential)| credential))
                .ok_or_else(|| CommandError::NoCredential { partner: partner.name.clone() })?,
        };
        let grant = self.grant(&rotate.grant, model.feeds.clone(), model.scopes.clone())?;
        let repaired = self.repair(&partner, &credentials, None).await?;
        let (hash, secret, credential) = self.make_key(&partner.name, &repaired.plan, grant).await?;
        self.partners.put_credential(&hash, &credential).await?;
        let report = CommandReport::Rotated {
            partner: partner.name,
            credential: self.credential_view(&credential),
            secret,
            still_valid: valid.iter().map(|old| old.id.clone()).collect(),
        };
        Ok(Effect::new(report, acts::made(&credential).chain(acts::keys(&repaired))))
    }

    /// Revokes a credential in the table, then deletes its key: from the next read on it opens nothing, also when the
    /// command dies in between.
    async fn revoke(&self, name: &str, id: &str) -> Result<Effect<CommandReport>, CommandError> {
        let partner = self.known(name).await?;
        let credentials = self.partners.credentials(name).await?;
        let (hash, credential) = find(name, id, &credentials)?;
        let mut details = Vec::new();
        if credential.revoked_ms.is_none() {
            details.push(ActDetail::gone(DetailName::Credential, DetailValue::word(id)));
            let revoked = Credential { revoked_ms: Some(self.now_ms), ..credential.clone() };
            self.partners.put_credential(hash, &revoked).await?;
        }
        if let Some(key) = &credential.gateway_key {
            self.gateway.delete_key(key).await?;
        }
        let valid = self.valid(&credentials);
        let left = valid.iter().filter(|other| other.id != id).map(|other| other.id.clone()).collect();
        let credential = id.to_owned();
        let report = CommandReport::Revoked { partner: partner.name, credential, still_valid: left };
        Ok(Effect::new(report, details))
    }

    async fn list(&self) -> Result<CommandReport, CommandError> {
        let mut views = Vec::new();
        for partner in self.partners.all_partners().await? {
            let credentials = self.partners.credentials(&partner.name).await?;
            views.push(self.view(&partner, &credentials));
        }
        Ok(CommandReport::Partners { stack: self.stack.as_str().to_owned(), partners: views })
    }

    async fn show(&self, name: &str) -> Result<CommandReport, CommandError> {
        let partner = self.known(name).await?;
        let credentials = self.partners.credentials(name).await?;
        let webhook = self.partners.webhook(name).await?.map(|webhook| webhooks::host_of(&webhook.url));
        let all: Vec<&Credential> = credentials.iter().map(|(_, credential)| credential).collect();
        Ok(CommandReport::Partner {
            partner: self.view(&partner, &credentials),
            webhook,
            credentials: self.views(&all),
        })
    }

    async fn set_active(&self, name: &str, active: bool) -> Result<Effect<CommandReport>, CommandError> {
        let before = self.known(name).await?;
        let partner = Partner { active, ..before.clone() };
        self.put_changed(Some(&before), &partner).await?;
        let statement = self.follow_state(&partner).await?;
        let details = acts::state(&before, &partner).into_iter().chain(acts::statement(statement, active));
        let partner = partner.name;
        let report =
            if active { CommandReport::Resumed { partner } } else { CommandReport::Suspended { partner } };
        Ok(Effect::new(report, details))
    }

    /// Returns a partner of the table, or an error with the name that may have been meant.
    async fn known(&self, name: &str) -> Result<Partner, CommandError> {
        if let Some(partner) = self.partners.partner(names::partner(name)?).await? {
            return Ok(partner);
        }
        let all = self.partners.all_partners().await?;
        Err(CommandError::NoSuchPartner {
            name: name.to_owned(),
            stack: self.stack.as_str().to_owned(),
            hint: names::hint(name, all.iter().map(|partner| partner.name.as_str())),
        })
    }

    async fn put_changed(&self, before: Option<&Partner>, partner: &Partner) -> Result<(), CommandError> {
        if before != Some(partner) {
            self.partners.put_partner(partner).await?;
        }
        Ok(())
    }

    /// Makes the usage plan and its keys as they should be. Each valid credential has a
    /// key that the plan counts, also when somebody deleted the plan or the key; then every other key of the partner
    /// is deleted: those of credentials that open nothing, and those of earlier versions, which hold a credential in
    /// clear.
    async fn repair(
        &self,
        partner: &Partner,
        credentials: &[(CredentialHash, Credential)],
        requests_per_day: Option<i32>,
    ) -> Result<RepairedPlan, CommandError> {
        let PartnerLimits { requests_per_second, burst, .. } = partner.limits;
        let name = self.stack.plan(&partner.name);
        let plan =
            self.gateway.put_plan(&Plan { name, rate: requests_per_second, burst, requests_per_day }).await?;
        let keys = self.gateway.keys(&self.stack.keys(&partner.name)).await?;
        let keys = keys.into_iter().map(|GatewayKey { id, name }| (id, name));
        let keys: Vec<(String, String)> =
            keys.filter(|(_, name)| self.stack.key_kind(&partner.name, name).is_some()).collect();
        let (mut kept, mut changed) = (BTreeSet::new(), 0);
        for (hash, credential) in credentials.iter().filter(|(_, one)| one.is_valid(self.now_ms)) {
            let name = self.stack.key(&partner.name, &credential.id);
            let key = match keys.iter().find(|(_, known)| *known == name) {
                Some((key, _)) => key.clone(),
                None => self.create_key(&partner.name, &credential.id).await?,
            };
            self.gateway.attach_key(&plan, &key).await?;
            if credential.gateway_key.as_ref() != Some(&key) {
                let named = Credential { gateway_key: Some(key.clone()), ..credential.clone() };
                self.partners.put_credential(hash, &named).await?;
                changed += 1;
            }
            kept.insert(key);
        }
        for (key, _) in keys.iter().filter(|(key, _)| !kept.contains(key)) {
            self.gateway.delete_key(key).await?;
            changed += 1;
        }
        Ok(RepairedPlan { plan, keys: changed })
    }

    /// Makes the key that counts the requests of a credential, and returns its id.
    async fn create_key(&self, partner: &str, credential: &str) -> Result<String, CommandError> {
        Ok(self.gateway.create_key(&self.stack.key(partner, credential), &usage_key(credential)).await?)
    }

    /// Makes a secret and the key that counts its requests. It opens nothing: the credential is not written yet.
    async fn make_key(
        &self,
        partner: &str,
        plan: &str,
        grant: Grant,
    ) -> Result<(CredentialHash, String, Credential), CommandError> {
        let (id, secret) = (secret::id(&self.random)?, secret::of_credential(&self.random)?);
        let key = self.create_key(partner, &id).await?;
        self.gateway.attach_key(plan, &key).await?;
        let credential = Credential {
            id,
            partner: partner.to_owned(),
            feeds: grant.feeds,
            scopes: grant.scopes,
            created_ms: self.now_ms,
            expires_ms: grant.expires_ms,
            revoked_ms: None,
            gateway_key: Some(key),
        };
        Ok((CredentialHash::of(&secret), secret, credential))
    }

    fn grant(
        &self,
        words: &GrantArguments,
        feeds: Feeds,
        scopes: BTreeSet<Scope>,
    ) -> Result<Grant, CommandError> {
        let ends = |days: u32| self.now_ms.saturating_add(u64::from(days) * DAY_MS);
        Ok(Grant {
            feeds: words.feeds.as_deref().map_or(Ok(feeds), names::feeds)?,
            scopes: words.scopes.as_deref().map_or(Ok(scopes), names::scopes)?,
            expires_ms: words.expires_days.map(ends),
        })
    }

    fn valid<'c>(&self, credentials: &'c [(CredentialHash, Credential)]) -> Vec<&'c Credential> {
        let all = credentials.iter().map(|(_, credential)| credential);
        all.filter(|credential| credential.is_valid(self.now_ms)).collect()
    }

    fn view(&self, partner: &Partner, credentials: &[(CredentialHash, Credential)]) -> PartnerView {
        PartnerView::new(partner, self.valid(credentials).len())
    }

    fn views(&self, credentials: &[&Credential]) -> Vec<CredentialView> {
        credentials.iter().map(|credential| self.credential_view(credential)).collect()
    }

    fn credential_view(&self, credential: &Credential) -> CredentialView {
        CredentialView::new(credential, self.now_ms)
    }
}

fn find<'c>(
    partner: &str,
    id: &str,
    credentials: &'c [(CredentialHash, Credential)],
) -> Result<(&'c CredentialHash, &'c Credential), CommandError> {
    let found = credentials.iter().find(|(_, credential)| credential.id == id);
    let (hash, credential) = found.ok_or_else(|| CommandError::NoSuchCredential {
        partner: partner.to_owned(),
        credential: id.to_owned(),
    })?;
    Ok((hash, credential))
}

/// Returns the partner as it was, or a new one, with the limits that the command names.
fn with_limits(before: Option<&Partner>, add: &Add, now_ms: u64) -> Partner {
    let fresh = || Partner {
        name: add.name.clone(),
        active: true,
        limits: PartnerLimits::DEFAULT,
        created_ms: now_ms,
    };
    let partner = before.cloned().unwrap_or_else(fresh);
    let limits = PartnerLimits {
        requests_per_second: add.rate.unwrap_or(partner.limits.requests_per_second),
        burst: add.burst.unwrap_or(partner.limits.burst),
        bytes_per_day: add.bytes_per_day.unwrap_or(partner.limits.bytes_per_day),
    };
    Partner { limits, ..partner }
}
