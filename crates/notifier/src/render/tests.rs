use proptest::prelude::*;

use super::*;

fn message(text: &str) -> AlarmMessage {
    AlarmMessage {
        status: MessageStatus::Open,
        incident: "s-partner-api".to_owned(),
        alarm: text.to_owned(),
        changed_ms: 1_795_240_800_000,
        lasted_ms: None,
        meaning: text.to_owned(),
        facts: vec![("since".into(), text.to_owned()), ("file".into(), text.to_owned())],
        advice: text.to_owned(),
        link: Some("https://console.example/".to_owned()),
    }
}

#[test]
fn slack_is_given_no_mention_and_no_link_of_anybody_else() {
    let form = slack(&message("<!channel> <@U1> & <https://evil.example|here>"));
    let blocks = form["blocks"].as_array().unwrap();
    assert_eq!(blocks[0]["text"]["type"], "plain_text", "a header is not read as mrkdwn");
    for block in &blocks[1..] {
        let text = block["text"]["text"].as_str().unwrap();
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
    }
    assert!(form["text"].as_str().unwrap().contains("&lt;!channel&gt; &lt;@U1&gt; &amp; "));
}

#[test]
fn a_subject_is_one_line_of_ascii_within_its_limit() {
    let (subject, text) = mail(&message(&"Über\u{202e}\n".repeat(40)));
    assert_eq!(subject.len(), SUBJECT);
    assert!(subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{subject}");
    assert!(text.contains("Do:\nÜber"));
}

#[test]
fn pagerduty_opens_and_closes_under_the_name_of_the_incident() {
    let closed = AlarmMessage { status: MessageStatus::Closed, ..message("m") };
    let events = [pagerduty(&message("m"), "key"), pagerduty(&closed, "key")];
    let actions = events.each_ref().map(|event| event["event_action"].as_str().unwrap());
    assert_eq!(actions, ["trigger", "resolve"]);
    assert!(
        events.iter().all(|event| event["dedup_key"] == "s-partner-api" && event["routing_key"] == "key")
    );
}

#[test]
fn every_form_begins_with_the_word_of_its_state() {
    for (status, lasted_ms, title) in [
        (MessageStatus::Open, None, "ALARM s-files"),
        (MessageStatus::Closed, Some(1_500_000), "RESOLVED s-files after 25 minutes"),
        (MessageStatus::Note, None, "NOTE s-files"),
    ] {
        let message = AlarmMessage { status, lasted_ms, ..message("s-files") };
        let (subject, text) = mail(&message);
        let slack = slack(&message);
        let card = &teams(&message)["attachments"][0]["content"]["body"];
        let texts = [
            subject.as_str(),
            text.as_str(),
            slack["text"].as_str().unwrap(),
            slack["blocks"][0]["text"]["text"].as_str().unwrap(),
            card[0]["inlines"][0]["text"].as_str().unwrap(),
        ];
        for text in texts {
            assert_eq!(text.lines().next(), Some(title));
        }
        let event = pagerduty(&message, "key");
        assert_eq!(event["payload"]["summary"], format!("{title}: s-files"));
        assert_eq!(json(&message)["title"], title);
    }
}

#[test]
fn sentences_of_a_mail_are_broken_and_commands_stay_whole() {
    let command =
        "`scalper --stack a-stack-with-a-long-name files --partner north --feed labs --since 7d --limit 5`";
    let text = format!("{} Then {command} shows the files. {}", "Look here.", "One word more. ".repeat(8));
    let lines = wrapped(text.trim_end());
    assert!(lines.iter().any(|line| line == command), "{lines:?}");
    assert!(lines.iter().all(|line| line == command || line.chars().count() <= MAIL_COLUMNS), "{lines:?}");
    assert_eq!(lines.join(" "), text.trim_end());
}

#[test]
fn a_card_shows_text_as_it_is() {
    let card = &teams(&message("[x](https://evil.example) **y**"))["attachments"][0]["content"];
    let kinds: Vec<&Value> = card["body"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert!(kinds.iter().all(|kind| *kind == "RichTextBlock"), "{kinds:?}");
}

#[test]
fn an_escape_is_never_cut_in_two() {
    for most in 0..12 {
        let text = cut_escaped("a&b<c", most, escape);
        assert!(text.chars().count() <= most.max(1), "{text}");
        assert!(
            ["", "a", "a&amp;", "a&amp;b", "a&amp;b&lt;c"].contains(&text.trim_end_matches('…')),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn every_form_keeps_to_its_limits(text in "\\PC{0,60}", repeats in 1_usize..200) {
        let message = message(&text.repeat(repeats));
        let (subject, mailed) = mail(&message);
        prop_assert!(subject.len() <= SUBJECT && mailed.chars().count() <= MAIL);
        let slack = slack(&message);
        for block in slack["blocks"].as_array().unwrap() {
            prop_assert!(block["text"]["text"].as_str().unwrap().chars().count() <= SLACK_SECTION);
        }
        let event = pagerduty(&message, "key");
        prop_assert!(event["payload"]["summary"].as_str().unwrap().chars().count() <= PAGERDUTY_SUMMARY);
        prop_assert!(teams(&message).to_string().len() <= 28 * 1024);
        prop_assert!(json(&message)["incident"] == "s-partner-api");
    }
}
