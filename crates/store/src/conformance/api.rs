//! What both implementations must do for the partner API.

use std::collections::BTreeSet;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{claim, mine, outcome};
use crate::{
    Begun, Condition, Credential, CredentialHash, Error, Feeds, FileId, FilePage, FilePlace, FileQuery,
    FileVersion, ItemValue, Land, Landed, LoadId, Partner, PartnerLimits, ReadRecords, RecordItem,
    RequestKey, Requests, Scope, Spent, State, StoredResponse, UploadId, UploadKind, UploadPart,
    UploadRecord, Webhook, WriteInbox, WriteLedger, WritePartners, WriteRecords,
};

/// Some instant: 21 November 2026, noon (UTC).
const NOON_MS: u64 = 1_795_262_400_000;

/// Partners, credentials, roles and webhooks.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn partners_behave<S: WritePartners>(store: &S, run: &str) -> Result<(), Error> {
    let partner = Partner {
        name: format!("{run}-north"),
        active: true,
        limits: PartnerLimits { requests_per_second: 3, burst: 5, bytes_per_day: 7 },
        created_ms: 1,
    };
    assert_eq!(store.partner(&partner.name).await?, None);
    store.put_partner(&partner).await?;
    let inactive = Partner { active: false, ..partner.clone() };
    store.put_partner(&inactive).await?;
    assert_eq!(store.partner(&partner.name).await?, Some(inactive.clone()));
    assert!(store.all_partners().await?.contains(&inactive));

    let of = |number: u64| Credential {
        id: format!("credential{number:02}"),
        partner: partner.name.clone(),
        feeds: if number == 1 { Feeds::All } else { Feeds::parse("charges,labs") },
        scopes: BTreeSet::from([Scope::Submit, Scope::Read]),
        created_ms: 10 - number,
        expires_ms: (number == 2).then_some(99),
        revoked_ms: None,
        gateway_key: (number == 1).then(|| "gateway".to_owned()),
    };
    let hash = |number: u64| CredentialHash::of(&format!("{run} {number}"));
    assert_eq!(store.credential(&hash(1)).await?, None);
    store.put_credential(&hash(1), &of(1)).await?;
    store.put_credential(&hash(2), &of(2)).await?;
    let revoked = Credential { revoked_ms: Some(5), ..of(1) };
    store.put_credential(&hash(1), &revoked).await?;
    assert_eq!(store.credential(&hash(1)).await?, Some(revoked.clone()));
    let oldest_first = vec![(hash(2), of(2)), (hash(1), revoked)];
    assert_eq!(store.credentials(&partner.name).await?, oldest_first);
    assert!(store.credentials(&format!("{run}-nort")).await?.is_empty(), "another partner's");

    let arn = format!("arn:aws:iam::123456789012:role/{run}");
    store.put_role(&arn, Some(&of(2))).await?;
    assert_eq!(store.role(&arn).await?, Some(of(2)));
    store.put_role(&arn, None).await?;
    assert_eq!(store.role(&arn).await?, None);
    assert_eq!(store.credentials(&partner.name).await?.len(), 2, "roles are no credentials");

    let webhook = Webhook {
        url: "https://partner.example/hook".to_owned(),
        secret: "new".to_owned(),
        previous_secret: Some("old".to_owned()),
    };
    store.put_webhook(&partner.name, Some(&webhook)).await?;
    assert!(store.webhook(&partner.name).await? == Some(webhook), "the webhook as it was put");
    store.put_webhook(&partner.name, None).await?;
    assert!(store.webhook(&partner.name).await?.is_none(), "the webhook is gone");
    Ok(())
}

/// Checks the bucket of requests and the bytes of a day.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn limits_hold<S: Requests>(store: &S, run: &str) -> Result<(), Error> {
    let limits = PartnerLimits { requests_per_second: 2, burst: 3, bytes_per_day: 100 };
    let partner = format!("{run}-limited");
    for request in 0..3 {
        assert_eq!(store.take_request(&partner, &limits, NOON_MS).await?, Spent::Yes, "request {request}");
    }
    let rejected = Spent::Wait { milliseconds: 500 };
    assert_eq!(store.take_request(&partner, &limits, NOON_MS).await?, rejected);
    assert_eq!(store.take_request(&partner, &limits, NOON_MS).await?, rejected, "a rejection costs nothing");
    let soon = store.take_request(&partner, &limits, NOON_MS + 499).await?;
    assert_eq!(soon, Spent::Wait { milliseconds: 1 });
    assert_eq!(store.take_request(&partner, &limits, NOON_MS + 500).await?, Spent::Yes);
    assert_eq!(store.take_request(&partner, &limits, NOON_MS + 500).await?, rejected);
    let other = format!("{run}-other");
    assert_eq!(store.take_request(&other, &limits, NOON_MS + 500).await?, Spent::Yes, "a bucket each");

    let tomorrow = Spent::Wait { milliseconds: 12 * 60 * 60 * 1_000 };
    assert_eq!(store.take_bytes(&partner, &limits, 101, NOON_MS).await?, tomorrow);
    assert_eq!(store.take_bytes(&partner, &limits, 60, NOON_MS).await?, Spent::Yes);
    assert_eq!(store.take_bytes(&partner, &limits, 41, NOON_MS).await?, tomorrow, "all of them or none");
    assert_eq!(store.take_bytes(&partner, &limits, 40, NOON_MS).await?, Spent::Yes);
    assert_eq!(store.take_bytes(&partner, &limits, 1, NOON_MS).await?, tomorrow);
    assert_eq!(store.take_bytes(&partner, &limits, u64::MAX, NOON_MS).await?, tomorrow);
    let next_day = NOON_MS + 12 * 60 * 60 * 1_000;
    assert_eq!(store.take_bytes(&partner, &limits, 100, next_day).await?, Spent::Yes);
    Ok(())
}

/// Idempotent requests and promised uploads.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn requests_behave<S: Requests>(store: &S, run: &str) -> Result<(), Error> {
    let key = |name: &str| RequestKey { partner: format!("{run}-north"), hash: name.to_owned() };
    let (now, until) = (NOON_MS, NOON_MS + 30_000);
    assert_eq!(store.begin(&key("1"), "print", now, until).await?, Begun::New);
    assert_eq!(store.begin(&key("1"), "print", now + 1, until).await?, Begun::Running);
    assert_eq!(store.begin(&key("1"), "other", now + 1, until).await?, Begun::Differs);
    let foreign = RequestKey { partner: format!("{run}-south"), ..key("1") };
    assert_eq!(store.begin(&foreign, "other", now, until).await?, Begun::New, "a partner's keys are its own");
    assert_eq!(store.begin(&key("1"), "print", until, until + 30_000).await?, Begun::New, "its time is over");

    let answer = |status| StoredResponse { status, body: format!("{{\"status\":{status}}}") };
    store.answer(&key("1"), "print", &answer(202), until).await?;
    store.answer(&key("1"), "print", &answer(500), until).await?;
    store.forget(&key("1")).await?;
    let kept = store.begin(&key("1"), "print", until + 60_000, until + 90_000).await?;
    assert_eq!(kept, Begun::Answered(answer(202)), "the first answer stays");
    assert_eq!(store.begin(&key("1"), "other", until, until + 1).await?, Begun::Differs);
    let after = until + 24 * 60 * 60 * 1_000;
    assert_eq!(store.begin(&key("1"), "other", after, after + 1).await?, Begun::New, "a day later");

    assert_eq!(store.begin(&key("2"), "print", now, until).await?, Begun::New);
    store.forget(&key("2")).await?;
    store.forget(&key("2")).await?;
    assert_eq!(store.begin(&key("2"), "corrected", now, until).await?, Begun::New);

    promised_uploads_are_kept(store, run).await
}

async fn promised_uploads_are_kept<S: Requests>(store: &S, run: &str) -> Result<(), Error> {
    let upload = UploadRecord {
        id: UploadId::of(&[run.as_bytes()]),
        partner: format!("{run}-north"),
        feed: "labs".to_owned(),
        key: format!("{run}-north/labs/a.csv"),
        bytes: 12,
        sha256: Some("ab".repeat(32)),
        kind: UploadKind::Single,
        corrects: Some(FileId::of(&super::file(run, "corrected"))),
        version: None,
        aborted: false,
        created_ms: NOON_MS,
        expires_ms: NOON_MS + 900_000,
    };
    assert_eq!(store.upload_record(&upload.partner, &upload.id).await?, None);
    store.put_upload(&upload).await?;
    let done = UploadRecord {
        kind: UploadKind::Multipart("s3".to_owned()),
        sha256: None,
        corrects: None,
        version: Some("v1".to_owned()),
        aborted: true,
        ..upload.clone()
    };
    assert_eq!(store.upload_record(&upload.partner, &upload.id).await?, Some(upload.clone()));
    store.put_upload(&done).await?;
    assert_eq!(store.upload_record(&upload.partner, &upload.id).await?, Some(done));
    assert_eq!(store.upload_record(&format!("{run}-south"), &upload.id).await?, None);
    Ok(())
}

/// Small files into the inbox, and uploads in parts of which nothing was sent.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn landing_behaves<S: WriteInbox>(store: &S, run: &str) -> Result<(), Error> {
    let land = |upload: &str, condition: Condition| Land {
        key: format!("{run}-north/labs/a b+(1).csv"),
        upload: UploadId::of(&[run.as_bytes(), upload.as_bytes()]),
        content_type: "text/csv".to_owned(),
        corrects: Some(FileId::of(&super::file(run, "corrected")).to_string()),
        condition,
    };
    let bytes = |text: &'static str| (<[u8; 32]>::from(Sha256::digest(text)), Bytes::from(text));
    let first = land("first", Condition::Absent);
    assert_eq!(store.current(&first.key).await?, None);
    assert_eq!(store.landed_as(&first.key, &first.upload).await?, None);
    let (sha256, older) = bytes("older");
    let wrong = store.land(&first, &[7; 32], older.clone()).await?;
    assert!(matches!(wrong, Landed::Rejected(_)), "found {wrong:?}");
    let Landed::Version { version, etag } = store.land(&first, &sha256, older.clone()).await? else {
        panic!("expected a version");
    };
    let current = store.current(&first.key).await?;
    let current = current.ok_or_else(|| Error::new(crate::Operation::FindVersion, "nothing landed"))?;
    assert_eq!((&current.version, &current.etag), (&version, &etag));
    assert_eq!((current.upload.as_ref(), current.bytes), (Some(&first.upload), 5));
    assert_eq!(store.land(&first, &sha256, older).await?, Landed::Conflict);

    let (sha256, newer) = bytes("newer!");
    let second = land("second", Condition::Replaces(etag));
    let landed = store.land(&second, &sha256, newer.clone()).await?;
    assert!(matches!(landed, Landed::Version { .. }), "found {landed:?}");
    assert_eq!(store.land(&second, &sha256, newer.clone()).await?, Landed::Conflict);
    assert_eq!(store.landed_as(&first.key, &first.upload).await?, Some(current));
    let found = store.landed_as(&first.key, &second.upload).await?;
    assert_eq!(found.map(|found| found.bytes), Some(6));
    let absent = Land { key: format!("{}-none", first.key), ..second };
    assert_eq!(store.land(&absent, &sha256, newer).await?, Landed::Conflict, "nothing to replace");

    let parted = Land { key: format!("{run}-north/labs/parts"), ..first };
    let multipart = store.begin_parts(&parted).await?;
    let part = UploadPart { number: 1, etag: "none".to_owned(), sha256 };
    let missing = store.complete_parts(&parted, &multipart, &[part]).await?;
    assert!(matches!(missing, Landed::Rejected(_)), "found {missing:?}");
    store.abort_parts(&parted.key, &multipart).await?;
    store.abort_parts(&parted.key, &multipart).await?;
    assert_eq!(store.current(&parted.key).await?, None);
    Ok(())
}

/// Checks a partner's files and the versions of a record.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn reading_behaves<S>(store: &S, run: &str) -> Result<(), Error>
where
    S: WriteLedger + WriteRecords + ReadRecords,
{
    let files = claim_files(store, run).await?;
    let partner = format!("{run}-north");
    let all = FileQuery { partner: partner.clone(), limit: 2, ..FileQuery::default() };
    let names =
        |page: &FilePage| -> Vec<FileId> { page.files.iter().map(|listed| listed.file.clone()).collect() };
    let first = store.files(&all).await?;
    assert_eq!(names(&first), [files[3].clone(), files[2].clone()], "newest first");
    assert_eq!(first.files[0].state, State::Quarantined);
    assert_eq!(first.files[0].outcome, Some(outcome(State::Quarantined)));
    assert_eq!((first.files[1].state, first.files[1].outcome.is_none()), (State::Processing, true));
    assert_eq!(first.files[0].key, format!("{partner}/labs/{run}/3.csv"));
    let rest = store.files(&FileQuery { after: first.next, ..all.clone() }).await?;
    assert_eq!(names(&rest), [files[1].clone(), files[0].clone()]);
    if let Some(next) = rest.next {
        let end = store.files(&FileQuery { after: Some(next), ..all.clone() }).await?;
        assert!(end.files.is_empty() && end.next.is_none(), "the end");
    }
    let ten = FileQuery { limit: 10, ..all };
    let charges = FileQuery { feed: Some("charges".to_owned()), ..ten.clone() };
    assert_eq!(names(&store.files(&charges).await?), [files[1].clone()]);
    let rejected = FileQuery { state: Some(State::Quarantined), ..ten.clone() };
    assert_eq!(names(&store.files(&rejected).await?), [files[3].clone()]);
    let (from, before) = (Some("2026-11-02".to_owned()), Some("2026-11-04".to_owned()));
    let between = FileQuery { from, before, ..ten.clone() };
    assert_eq!(names(&store.files(&between).await?), [files[2].clone(), files[1].clone()]);
    let stranger = FileQuery { partner: format!("{run}-south"), ..ten.clone() };
    assert!(store.files(&stranger).await?.files.is_empty(), "another partner's files");
    // A caller that presents another's place goes on in its own list.
    let place = FilePlace { order: "2026-11-09T00:00:00Z/1".to_owned(), file: files[0].clone() };
    assert!(store.files(&FileQuery { after: Some(place), ..stranger }).await?.files.is_empty());
    versions_of_a_record(store, run).await
}

/// Four files of one partner, oldest first, and one of a key that names no partner.
async fn claim_files<L: WriteLedger>(ledger: &L, run: &str) -> Result<Vec<FileId>, Error> {
    let mut files = Vec::new();
    for (number, feed) in ["labs", "charges", "labs", "labs"].into_iter().enumerate() {
        let key = format!("{run}-north/{feed}/{run}/{number}.csv");
        let file = FileVersion { key, ..super::file(run, &number.to_string()) };
        let mut claim = claim(&file, "a", 1_000);
        claim.partner = format!("{run}-north");
        feed.clone_into(&mut claim.feed);
        claim.order = super::order(&format!("2026-11-{:02}T00:00:00Z/{number}", number + 1));
        let (fence, _) = mine(ledger, &claim).await?;
        if number == 3 {
            ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?;
        }
        files.push(fence.file);
    }
    let nobody = super::file(run, "nobody");
    let unnamed = crate::Claim { partner: String::new(), feed: String::new(), ..claim(&nobody, "a", 1_000) };
    let (fence, entry) = mine(ledger, &unnamed).await?;
    assert_eq!((entry.partner.as_str(), entry.feed.as_str()), ("", ""));
    assert_eq!(ledger.entry(&fence.file).await?, Some(entry));
    Ok(files)
}

async fn versions_of_a_record<S: WriteRecords + ReadRecords>(store: &S, run: &str) -> Result<(), Error> {
    let load = LoadId::new(&FileId::of(&super::file(run, "rows")), &[1; 32], 1, 0);
    let version = |order: u32, partition: &str| RecordItem {
        partition: partition.to_owned(),
        sort: format!("{order}#{load}"),
        attributes: vec![
            ("amount".to_owned(), ItemValue::Number("12.5".to_owned())),
            (
                "list".to_owned(),
                ItemValue::List(vec![
                    ItemValue::Null,
                    ItemValue::Boolean(true),
                    ItemValue::Map(vec![("a".to_owned(), ItemValue::Text("x".to_owned()))]),
                ]),
            ),
            ("_load".to_owned(), ItemValue::Text(load.to_string())),
        ],
    };
    let partition = format!("{run}-north/labs#1");
    let mut items: Vec<_> = (1..=3).map(|order| version(order, &partition)).collect();
    items.push(version(9, &format!("{partition}0")));
    store.write(items).await?;
    let first = store.record_versions(&partition, None, 2).await?;
    let sorts: Vec<_> = first.versions.iter().map(|version| version.item.sort.clone()).collect();
    assert_eq!(sorts, [format!("3#{load}"), format!("2#{load}")]);
    assert!(first.versions.iter().all(|version| version.load == load && version.item.partition == partition));
    let mut attributes = first.versions[0].item.attributes.clone();
    attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut written = version(3, &partition).attributes;
    written.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(attributes == written, "every type as it was written");
    assert_eq!(first.next.as_deref(), Some(format!("2#{load}").as_str()));
    let rest = store.record_versions(&partition, first.next.as_deref(), 2).await?;
    assert_eq!(rest.versions.len(), 1);
    assert_eq!(rest.next, None);
    Ok(())
}
