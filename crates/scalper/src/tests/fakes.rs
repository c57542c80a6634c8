//! A partners table and an API Gateway in memory, with one fault plan for both: what fails at the n-th call is a
//! whole command.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use store::memory::CALLER;
use store::{
    ActRecord, Arn, CallerIdentity, Credential, CredentialHash, Error, Operation, Partner, ReadPartners,
    ReadRegistrations, Webhook, WriteAudit, WritePartners,
};

use crate::gateway::{Gateway, GatewayError, GatewayKey, Plan, PlanKeys, REQUESTS_PER_DAY};

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FakeFailure {
    BeforeEffect,
    AfterEffect,
}

/// An API Gateway key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FakeKey {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) plan: Option<String>,
}

#[derive(Default)]
pub(super) struct FakeState {
    pub(super) partners: BTreeMap<String, Partner>,
    pub(super) credentials: BTreeMap<CredentialHash, Credential>,
    pub(super) roles: BTreeMap<String, Credential>,
    pub(super) webhooks: BTreeMap<String, Webhook>,
    pub(super) plans: BTreeMap<String, Plan>,
    pub(super) keys: BTreeMap<String, FakeKey>,
    /// What was noted, in order, a repeated attempt once.
    pub(super) acts: Vec<ActRecord>,
    pub(super) calls: usize,
    pub(super) fault: Option<(usize, FakeFailure)>,
    keys_made: usize,
}

/// What the commands change, without the audit trail.
type FakeEffects = (
    (BTreeMap<String, Partner>, BTreeMap<CredentialHash, Credential>, BTreeMap<String, Credential>),
    (BTreeMap<String, Plan>, BTreeMap<String, FakeKey>, usize),
);

impl FakeState {
    /// Returns what the commands change, to compare it.
    pub(super) fn effects(&self) -> FakeEffects {
        let table = (self.partners.clone(), self.credentials.clone(), self.roles.clone());
        (table, (self.plans.clone(), self.keys.clone(), self.webhooks.len()))
    }
}

#[derive(Clone, Default)]
pub(super) struct FakeAws(Arc<Mutex<FakeState>>);

impl FakeAws {
    pub(super) fn state(&self) -> MutexGuard<'_, FakeState> {
        self.0.lock().expect("unpoisoned")
    }

    /// One counted call; `None` when the planned fault happened. Every later call fails too: the command is dead.
    fn call<T>(&self, effect: impl FnOnce(&mut FakeState) -> T) -> Option<T> {
        let mut state = self.state();
        state.calls += 1;
        let fault = state.fault.filter(|(call, _)| state.calls >= *call);
        match fault {
            Some((call, FakeFailure::AfterEffect)) if state.calls == call => drop(effect(&mut state)),
            Some(_) => {}
            None => return Some(effect(&mut state)),
        }
        None
    }

    fn table<T>(&self, effect: impl FnOnce(&mut FakeState) -> T) -> Result<T, Error> {
        self.call(effect).ok_or_else(|| Error::new(Operation::ReadLedger, "injected"))
    }

    fn gateway<T>(&self, effect: impl FnOnce(&mut FakeState) -> T) -> Result<T, GatewayError> {
        self.call(effect).ok_or_else(|| GatewayError { doing: "calling", code: "injected".to_owned() })
    }
}

impl ReadRegistrations for FakeAws {
    async fn partner(&self, name: &str) -> Result<Option<Partner>, Error> {
        self.table(|state| state.partners.get(name).cloned())
    }
}

impl ReadPartners for FakeAws {
    async fn credential(&self, hash: &CredentialHash) -> Result<Option<Credential>, Error> {
        self.table(|state| state.credentials.get(hash).cloned())
    }

    async fn role(&self, arn: &str) -> Result<Option<Credential>, Error> {
        self.table(|state| state.roles.get(arn).cloned())
    }

    async fn webhook(&self, partner: &str) -> Result<Option<Webhook>, Error> {
        self.table(|state| state.webhooks.get(partner).cloned())
    }

    async fn all_partners(&self) -> Result<Vec<Partner>, Error> {
        self.table(|state| state.partners.values().cloned().collect())
    }

    async fn credentials(&self, partner: &str) -> Result<Vec<(CredentialHash, Credential)>, Error> {
        self.table(|state| {
            let own = state.credentials.iter().filter(|(_, credential)| credential.partner == partner);
            let mut own: Vec<_> = own.map(|(hash, credential)| (hash.clone(), credential.clone())).collect();
            own.sort_by_key(|(_, credential)| (credential.created_ms, credential.id.clone()));
            own
        })
    }
}

impl WritePartners for FakeAws {
    async fn put_partner(&self, partner: &Partner) -> Result<(), Error> {
        self.table(|state| drop(state.partners.insert(partner.name.clone(), partner.clone())))
    }

    async fn put_credential(&self, hash: &CredentialHash, credential: &Credential) -> Result<(), Error> {
        self.table(|state| drop(state.credentials.insert(hash.clone(), credential.clone())))
    }

    async fn put_role(&self, arn: &str, credential: Option<&Credential>) -> Result<(), Error> {
        self.table(|state| {
            drop(match credential {
                Some(credential) => state.roles.insert(arn.to_owned(), credential.clone()),
                None => state.roles.remove(arn),
            });
        })
    }

    async fn put_webhook(&self, partner: &str, webhook: Option<&Webhook>) -> Result<(), Error> {
        self.table(|state| {
            drop(match webhook {
                Some(webhook) => state.webhooks.insert(partner.to_owned(), webhook.clone()),
                None => state.webhooks.remove(partner),
            });
        })
    }
}

impl CallerIdentity for FakeAws {
    async fn caller(&self) -> Result<Arn, Error> {
        self.table(|_| Arn::parse(CALLER).expect("an ARN"))
    }
}

impl WriteAudit for FakeAws {
    async fn note(&self, record: &ActRecord) -> Result<(), Error> {
        self.table(|state| {
            if !state.acts.contains(record) {
                state.acts.push(record.clone());
            }
        })
    }
}

impl Gateway for FakeAws {
    async fn address(&self) -> Result<String, GatewayError> {
        self.gateway(|_| "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/api".to_owned())
    }

    async fn put_plan(&self, plan: &Plan) -> Result<String, GatewayError> {
        self.gateway(|state| {
            let before = state.plans.get(&plan.name).and_then(|before| before.requests_per_day);
            let per_day = plan.requests_per_day.or(before).or(Some(REQUESTS_PER_DAY));
            state.plans.insert(plan.name.clone(), Plan { requests_per_day: per_day, ..plan.clone() });
            plan.name.clone()
        })
    }

    async fn create_key(&self, name: &str, value: &str) -> Result<String, GatewayError> {
        self.gateway(|state| {
            state.keys_made += 1;
            let id = format!("key-{}", state.keys_made);
            let key = FakeKey { name: name.to_owned(), value: value.to_owned(), plan: None };
            state.keys.insert(id.clone(), key);
            id
        })
    }

    async fn attach_key(&self, plan: &str, key: &str) -> Result<(), GatewayError> {
        self.gateway(|state| {
            assert!(state.plans.contains_key(plan), "the plan is there");
            state.keys.get_mut(key).expect("the key is there").plan = Some(plan.to_owned());
        })
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<GatewayKey>, GatewayError> {
        self.gateway(|state| {
            let named = state.keys.iter().filter(|(_, key)| key.name.starts_with(prefix));
            named.map(|(id, key)| GatewayKey { id: id.clone(), name: key.name.clone() }).collect()
        })
    }

    async fn plans(&self, prefix: &str) -> Result<Vec<PlanKeys>, GatewayError> {
        self.gateway(|state| {
            let counted = |plan: &str| {
                let counted = state.keys.iter().filter(|(_, key)| key.plan.as_deref() == Some(plan));
                counted.map(|(id, _)| id.clone()).collect()
            };
            let named = state.plans.keys().filter(|plan| plan.starts_with(prefix));
            named.map(|plan| PlanKeys { plan: plan.clone(), keys: counted(plan) }).collect()
        })
    }

    async fn delete_key(&self, id: &str) -> Result<(), GatewayError> {
        self.gateway(|state| drop(state.keys.remove(id)))
    }
}
