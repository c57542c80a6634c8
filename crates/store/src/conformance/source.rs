//! Copies of another bucket's objects.

use crate::{CopiedIn, CopyIntoInbox, Error, SourceObject, UploadId};

/// Checks the list of another bucket and copies of its objects. It holds two objects below `<run>/`: `a ü+.csv` of 1
/// byte and `b.csv` of 2 bytes.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn copying_behaves<S: CopyIntoInbox>(store: &S, bucket: &str, run: &str) -> Result<(), Error> {
    let prefix = format!("{run}/");
    let (mut objects, mut after) = (Vec::new(), None);
    loop {
        let page = store.source_page(bucket, &prefix, after.as_deref()).await?;
        objects.extend(page.objects);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let listed: Vec<_> = objects.iter().map(|object| (object.key.clone(), object.bytes)).collect();
    assert_eq!(listed, [(format!("{prefix}a ü+.csv"), 1), (format!("{prefix}b.csv"), 2)]);
    assert!(objects.iter().all(|object| object.bucket == bucket && object.last_modified_ms > 0));
    assert!(store.source_page(bucket, &format!("{run}/none"), None).await?.objects.is_empty());

    let key = format!("clinic/labs/{bucket}/{run}/a ü+.csv");
    let (upload, other) = (UploadId::of(&[b"a"]), UploadId::of(&[b"b"]));
    assert!(store.copied(&key).await?.is_none());
    let CopiedIn::Version(version) = store.copy_in(&objects[0], &key, &upload).await? else {
        panic!("there was none")
    };
    let held = store.copied(&key).await?.unwrap_or_else(|| panic!("it was copied"));
    assert_eq!((&held.version, held.upload.as_ref(), held.bytes), (&version, Some(&upload), 1));
    let again = store.copy_in(&objects[0], &key, &upload).await?;
    assert_eq!(again, CopiedIn::Conflict, "a copy replaces nothing");
    assert_eq!(store.copy_in(&objects[1], &key, &other).await?, CopiedIn::Conflict);
    assert_eq!(store.copied(&key).await?, Some(held), "it stays as it was");
    let etag = "0123456789abcdef0123456789abcdef".to_owned();
    let changed = SourceObject { etag, ..objects[1].clone() };
    let new = format!("clinic/labs/{bucket}/{run}/b.csv");
    assert_eq!(store.copy_in(&changed, &new, &other).await?, CopiedIn::Conflict, "not what was listed");
    assert!(store.copied(&new).await?.is_none());
    Ok(())
}
