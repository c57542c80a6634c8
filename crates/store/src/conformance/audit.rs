//! The audit trail: each act is written once, and found by each filter.

use crate::{
    Act, ActDetail, ActEnd, ActId, ActReason, ActRecord, ActResult, ActSubject, ActWord, Actor, Arn,
    AuditQuery, DetailName, DetailValue, Error, FileId, ReadAudit, State, Verb, WriteAudit,
};

/// 2026-11-30T23:59:59.999Z: the next act is of another month.
const LAST_OF_MONTH_MS: u64 = 1_796_083_199_999;

/// The audit trail as an operator writes and reads it.
///
/// # Panics
/// Where it behaves otherwise.
pub async fn auditing_behaves<S: ReadAudit + WriteAudit>(trail: &S, run: &str) -> Result<(), Error> {
    let acts = acts(run);
    for act in &acts {
        let begun = ActRecord { act: act.clone(), end: None };
        trail.note(&begun).await?;
        trail.note(&begun).await?;
    }
    let ended = ActRecord { act: acts[0].clone(), end: Some(end()) };
    trail.note(&ended).await?;
    trail.note(&ended).await?;
    an_act_is_never_written_again(trail, &ended).await?;

    let all = AuditQuery {
        from_ms: LAST_OF_MONTH_MS,
        until_ms: LAST_OF_MONTH_MS + 3,
        verb: None,
        by: Some(run.to_owned()),
        partner: None,
        feed: None,
        file: None,
        limit: 10,
    };
    let page = trail.acts(&all).await?;
    let begun = |index: usize| ActRecord { act: acts[index].clone(), end: None };
    assert_eq!(page.acts, [begun(2), begun(1), ended.clone()], "newest first, each once, of two months");
    assert_eq!((page.unread, page.complete), (0, true));

    let (partner, feed) = (format!("{run}-north"), format!("{run}-labs"));
    let file = acts[0].subject.file.clone();
    let narrowed = [
        (AuditQuery { until_ms: LAST_OF_MONTH_MS + 2, ..all.clone() }, vec![begun(1), ended.clone()]),
        (AuditQuery { from_ms: LAST_OF_MONTH_MS + 1, ..all.clone() }, vec![begun(2), begun(1)]),
        (AuditQuery { until_ms: LAST_OF_MONTH_MS, ..all.clone() }, vec![]),
        (AuditQuery { verb: Some(Verb::PartnerSuspend), ..all.clone() }, vec![begun(1)]),
        (AuditQuery { by: Some(format!("{run}/bob")), ..all.clone() }, vec![begun(2)]),
        (AuditQuery { partner: Some(partner.clone()), ..all.clone() }, vec![begun(1), ended.clone()]),
        (AuditQuery { feed: Some(feed.clone()), ..all.clone() }, vec![begun(2), ended.clone()]),
        (AuditQuery { partner: Some(partner), feed: Some(feed), ..all.clone() }, vec![ended.clone()]),
        (AuditQuery { file, ..all.clone() }, vec![ended.clone()]),
        (AuditQuery { partner: Some(format!("{run}-none")), ..all.clone() }, vec![]),
    ];
    for (query, expected) in narrowed {
        let page = trail.acts(&query).await?;
        assert_eq!((page.acts, page.complete), (expected, true), "{query:?}");
    }
    let two = trail.acts(&AuditQuery { limit: 2, ..all }).await?;
    assert_eq!((two.acts, two.complete), (vec![begun(2), begun(1)], false));
    Ok(())
}

async fn an_act_is_never_written_again<S: WriteAudit>(trail: &S, ended: &ActRecord) -> Result<(), Error> {
    let other_end = ActEnd { result: ActResult::Nothing, ..end() };
    let other_act = Act { verb: Verb::PartnerAdd, ..ended.act.clone() };
    for changed in
        [ActRecord { act: ended.act.clone(), end: Some(other_end) }, ActRecord { act: other_act, end: None }]
    {
        let rejected = trail.note(&changed).await;
        assert!(rejected.is_err_and(|error| error.code == "written before"), "an act was changed");
    }
    Ok(())
}

/// Returns three acts: one on a file at the end of a month, one on a partner and one on a feed of the next.
fn acts(run: &str) -> [Act; 3] {
    let id = |number: u8| {
        let mut random = [number; 16];
        random.iter_mut().zip(run.bytes()).for_each(|(random, byte)| *random ^= byte);
        ActId::of(random)
    };
    let by = |name: &str| {
        let arn = format!("arn:aws:sts::123456789012:assumed-role/{run}/{name}");
        Arn::parse(&arn).unwrap_or_else(|| panic!("{arn} is no ARN"))
    };
    let (partner, feed) = (format!("{run}-north"), format!("{run}-labs"));
    let version = super::file(run, "audited");
    let act = |number: u8, verb, subject, name: &str| Act {
        id: id(number),
        at_ms: LAST_OF_MONTH_MS + u64::from(number),
        by: Actor::Aws(by(name)),
        verb,
        subject,
        reason: None,
    };
    let file = ActSubject {
        contract_version: ActWord::parse("1.2.0"),
        ..ActSubject::file(&FileId::of(&version), &partner, &feed)
    };
    let first = act(0, Verb::Ack, file, "ann");
    [
        Act { reason: ActReason::parse("a test file, it\'s fine").ok(), ..first },
        act(1, Verb::PartnerSuspend, ActSubject::partner(&partner), "ann"),
        act(2, Verb::PartnerAdd, ActSubject::feed(&feed), "bob"),
    ]
}

fn end() -> ActEnd {
    let details = vec![
        ActDetail::gone(DetailName::Open, DetailValue::State(State::Quarantined)),
        ActDetail::new(DetailName::Keys, DetailValue::Count(2)),
    ];
    let error = ActWord::parse("NoSuchFile");
    ActEnd { at_ms: LAST_OF_MONTH_MS + 9, result: ActResult::Failed, error, details }
}
