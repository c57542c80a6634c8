//! The folders of the inbox.

use aws_sdk_s3::types::EncodingType;

use super::Door;
use crate::aws::failure::failure;
use crate::aws::objects::{listed_key, next_place};
use crate::door::{Folders, Senders};
use crate::watch::InboxPlace;
use crate::{Error, Operation};

/// Pages of a listing before it is given up: 10,000 folders and objects of one level.
const MOST_PAGES: usize = 10;

impl Senders for Door {
    async fn senders(&self, partner: Option<&str>) -> Result<Folders, Error> {
        // Named also when it is empty: a role may be allowed to list this level and none below it.
        let prefix = partner.map(|partner| format!("{partner}/")).unwrap_or_default();
        let mut folders = Folders::default();
        let mut after: Option<InboxPlace> = None;
        for _ in 0..MOST_PAGES {
            let page = self
                .s3
                .list_object_versions()
                .bucket(&self.names.inbox)
                .prefix(&prefix)
                .delimiter("/")
                // Without it a key with control characters would not be well-formed XML.
                .encoding_type(EncodingType::Url)
                .set_key_marker(after.as_ref().map(|place| place.key.clone()))
                .set_version_id_marker(after.and_then(|place| place.version))
                .set_expected_bucket_owner(self.names.account.clone())
                .send()
                .await
                .map_err(|error| failure(Operation::ListInbox, &error))?;
            folders.names.extend(page.common_prefixes().iter().filter_map(|folder| {
                let folder = listed_key(&page, folder.prefix()?)?;
                let name = folder.strip_prefix(&prefix)?.strip_suffix('/')?;
                (!name.is_empty()).then(|| name.to_owned())
            }));
            after = next_place(&page)?;
            if after.is_none() {
                folders.complete = true;
                break;
            }
        }
        Ok(folders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::{Answer, Replay, answer};

    fn page(folders: &[&str], next: Option<&str>) -> Answer {
        let folder = |name: &&str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
        let folders: String = folders.iter().map(folder).collect();
        let next = next.map_or_else(
            || "<IsTruncated>false</IsTruncated>".to_owned(),
            |next| format!("<IsTruncated>true</IsTruncated><NextKeyMarker>{next}</NextKeyMarker>"),
        );
        let page = format!(
            "<ListVersionsResult><EncodingType>url</EncodingType>{folders}{next}</ListVersionsResult>"
        );
        answer(200, page)
    }

    #[tokio::test]
    async fn senders_are_the_folders_of_versions_page_by_page() -> Result<(), Error> {
        let (door, replay) =
            Replay::door([page(&["north/", "odd+%0A/"], Some("odd+%0A/")), page(&["south/", "/"], None)]);
        let all = door.senders(None).await?;
        assert_eq!((all.names, all.complete), (["north", "odd \n", "south"].map(str::to_owned).into(), true));
        let seen = replay.seen();
        assert!(seen[0].uri.contains("versions") && seen[0].uri.contains("delimiter=%2F"), "{}", seen[0].uri);
        // Named, as the condition of the notifier's role asks.
        assert!(seen[0].uri.contains("prefix=&") || seen[0].uri.ends_with("prefix="), "{}", seen[0].uri);
        assert!(seen[1].uri.contains("key-marker=odd%20%0A%2F"), "{}", seen[1].uri);
        assert!(!seen[1].uri.contains("version-id-marker"), "{}", seen[1].uri);
        assert_eq!(seen[0].header("x-amz-expected-bucket-owner"), Some("123456789012"));
        Ok(())
    }

    #[tokio::test]
    async fn the_feeds_of_one_partner_are_its_folders() -> Result<(), Error> {
        let (door, replay) = Replay::door([page(&["north/labs/", "elsewhere/"], None)]);
        assert_eq!(door.senders(Some("north")).await?.names, ["labs"]);
        assert!(replay.seen()[0].uri.contains("prefix=north%2F"), "{}", replay.seen()[0].uri);
        Ok(())
    }

    #[tokio::test]
    async fn a_listing_without_end_is_given_up_and_says_so() -> Result<(), Error> {
        let (door, replay) = Replay::door(std::iter::repeat_n(page(&["north/"], Some("north/")), 20));
        assert!(!door.senders(None).await?.complete);
        assert_eq!(replay.seen().len(), MOST_PAGES);
        Ok(())
    }
}
