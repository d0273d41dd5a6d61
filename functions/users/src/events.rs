//! What a person did with the account, read from the profile before and after a write.

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::time::Timestamp;

use crate::store::{MESSAGE, OWN_SUPPRESSED};
use crate::{About, MessageId, Profile};

/// Something that a person did with the account. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserEvent {
    /// Who.
    pub user_id: UserId,
    /// When.
    #[serde(skip)]
    pub at: Timestamp,
    /// What.
    #[serde(skip)]
    pub what: What,
}

shared::names!(
    /// What a person did with the account, by the name that subscribers know it by.
    pub enum What {
        /// Proved the address that it was opened with.
        SignedUp = "user.signed-up",
        /// Gave the password and got tokens.
        SignedIn = "user.signed-in",
        /// Has another password.
        PasswordChanged = "user.password-changed",
        /// Has another address or name.
        ProfileChanged = "user.profile-changed",
        /// Turned the second factor on or off.
        SecondFactorChanged = "user.second-factor-changed",
        /// Was made something else by an admin.
        RoleChanged = "user.role-changed",
        /// Gets no texts any more, since the phone takes none.
        TextsStopped = "user.texts-stopped",
        /// Had a text sent to somebody, as an admin.
        TextSent = "user.text-sent",
    }
);

/// Something that happened to a person's email. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailEvent {
    /// Whose.
    pub user_id: UserId,
    /// Which message, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// When.
    #[serde(skip)]
    pub at: Timestamp,
    /// What.
    #[serde(skip)]
    pub what: MailWhat,
}

shared::names!(
    /// What happened to a person's email, by the name that subscribers know it by.
    pub enum MailWhat {
        /// Mail to the address came back for good, or was called spam, and none is sent any more.
        Suppressed = "user.email-suppressed",
        /// An admin wrote to the person.
        MessageSent = "user.message-sent",
    }
);

/// An entry of the mail, as far as something happened by it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MailEntry {
    about: String,
    entry: String,
    at: Timestamp,
}

/// What happened between two states of an entry of the mail. Of addresses alone nobody is told, and what goes by itself
/// or was lifted is no news.
pub fn between_mail(old: Option<&MailEntry>, new: Option<&MailEntry>) -> Vec<MailEvent> {
    let Some(new) = new.filter(|new| old.is_none_or(|old| old.at != new.at)) else { return Vec::new() };
    let Ok(About::Person(user_id)) = new.about.parse() else { return Vec::new() };
    let message_id = new.entry.strip_prefix(MESSAGE).and_then(|id| id.parse().ok());
    let what = match message_id {
        Some(_) => MailWhat::MessageSent,
        None if new.entry.starts_with(OWN_SUPPRESSED) => MailWhat::Suppressed,
        None => return Vec::new(),
    };
    vec![MailEvent { user_id, message_id, at: new.at, what }]
}

/// What happened between two states of a profile.
pub fn between(old: Option<&Profile>, new: Option<&Profile>) -> Vec<UserEvent> {
    let Some(new) = new else { return Vec::new() };
    let event = |what, at| UserEvent { user_id: new.user_id.clone(), at, what };
    let mut events = Vec::new();
    match old {
        None => events.push(event(What::SignedUp, new.created_at)),
        Some(old) if says(old) != says(new) => {
            events.push(event(What::ProfileChanged, new.updated_at.unwrap_or(new.created_at)));
        }
        Some(_) => {}
    }
    let newer = |at: Option<Timestamp>, before: Option<Option<Timestamp>>| at.filter(|_| before != Some(at));
    if let Some(at) = newer(new.password_changed_at, old.map(|old| old.password_changed_at)) {
        events.push(event(What::PasswordChanged, at));
    }
    let second_factor = |profile: &Profile| profile.second_factor.map(|change| change.at);
    if let Some(at) = newer(second_factor(new), old.map(second_factor)) {
        events.push(event(What::SecondFactorChanged, at));
    }
    if let Some(at) = newer(new.role_changed_at, old.map(|old| old.role_changed_at)) {
        events.push(event(What::RoleChanged, at));
    }
    if let Some(at) = newer(new.texts_stopped_at, old.map(|old| old.texts_stopped_at)) {
        events.push(event(What::TextsStopped, at));
    }
    if let Some(sent) = new.text_sent.filter(|_| old.map(|old| old.text_sent) != Some(new.text_sent)) {
        events.push(event(What::TextSent, sent.at));
    }
    if let Some(at) = newer(new.last_sign_in_at, old.map(|old| old.last_sign_in_at)) {
        events.push(event(What::SignedIn, at));
    }
    events
}

/// What a profile says of its person.
fn says(profile: &Profile) -> (&str, &str, &str) {
    (profile.email.as_str(), profile.full_name.as_str(), profile.username.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    fn ann() -> Profile {
        serde_json::from_value(json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": at(0)
        }))
        .unwrap()
    }

    fn told(old: Option<&Profile>, new: Option<&Profile>) -> Vec<(What, Timestamp)> {
        between(old, new).into_iter().map(|event| (event.what, event.at)).collect()
    }

    #[test]
    fn a_new_profile_is_a_sign_up_and_its_event_names_nobody() {
        let events = between(None, Some(&ann()));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.what.as_str(), event.at), ("user.signed-up", at(0)));
        assert_eq!(serde_json::to_value(event).unwrap(), json!({ "userId": "5d0c" }));
    }

    #[test]
    fn sign_ins_and_new_passwords_are_told_with_their_time() {
        let signed_in = Profile { last_sign_in_at: Some(at(5)), ..ann() };
        let again = Profile { last_sign_in_at: Some(at(6)), ..ann() };
        let changed = Profile { password_changed_at: Some(at(7)), ..again.clone() };
        assert_eq!(told(Some(&ann()), Some(&signed_in)), [(What::SignedIn, at(5))]);
        assert_eq!(told(Some(&signed_in), Some(&again)), [(What::SignedIn, at(6))]);
        assert_eq!(told(Some(&again), Some(&changed)), [(What::PasswordChanged, at(7))]);
        assert_eq!(told(Some(&changed), None), []);
    }

    #[test]
    fn a_second_factor_that_is_turned_on_or_off_is_told_and_a_sign_in_that_gives_one_is_not() {
        let turned = |is_on: bool, minute| crate::SecondFactorChange { is_on, at: at(minute) };
        let on = Profile { second_factor: Some(turned(true, 3)), ..ann() };
        let given = Profile { second_factor_at: Some(at(4)), ..on.clone() };
        let off = Profile { second_factor: Some(turned(false, 5)), ..ann() };
        assert_eq!(told(Some(&ann()), Some(&on)), [(What::SecondFactorChanged, at(3))]);
        assert_eq!(told(Some(&on), Some(&given)), []);
        assert_eq!(told(Some(&given), Some(&off)), [(What::SecondFactorChanged, at(5))]);
    }

    #[test]
    fn another_role_is_told_with_its_time() {
        let seller = Profile { role: Some(crate::Role::Seller), role_changed_at: Some(at(8)), ..ann() };
        assert_eq!(told(Some(&ann()), Some(&seller)), [(What::RoleChanged, at(8))]);
    }

    #[test]
    fn a_phone_that_takes_no_texts_is_told_once_and_each_text_of_an_admin_is() {
        let stopped = Profile { texts_stopped_at: Some(at(3)), ..ann() };
        assert_eq!(told(Some(&ann()), Some(&stopped)), [(What::TextsStopped, at(3))]);
        assert_eq!(told(Some(&stopped), Some(&ann())), [], "it takes them again");
        let sent = || Some(crate::TextSent { id: crate::TextId::at(at(4)), at: at(4) });
        let (first, second) =
            (Profile { text_sent: sent(), ..ann() }, Profile { text_sent: sent(), ..ann() });
        assert_eq!(told(Some(&ann()), Some(&first)), [(What::TextSent, at(4))]);
        assert_eq!(told(Some(&first), Some(&second)), [(What::TextSent, at(4))], "in the same moment");
        assert_eq!(told(Some(&second), Some(&second)), []);
    }

    #[test]
    fn another_name_is_a_change_of_the_profile() {
        let full_name = crate::FullName::new("Ann Fox").unwrap();
        let changed = Profile { full_name, updated_at: Some(at(9)), ..ann() };
        assert_eq!(told(Some(&ann()), Some(&changed)), [(What::ProfileChanged, at(9))]);
    }

    const PERSON: &str = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";

    fn entry(about: &str, entry: &str, minute: i64) -> MailEntry {
        MailEntry { about: about.into(), entry: entry.into(), at: at(minute) }
    }

    #[test]
    fn a_person_is_told_of_each_message_and_of_an_address_that_gets_no_email_and_nobody_of_others_addresses()
    {
        let told = |old: Option<&MailEntry>, new: Option<&MailEntry>| -> Vec<_> {
            between_mail(old, new).into_iter().map(|event| (event.what, event.at)).collect()
        };
        let id = "01a1fbbc-f982-7d04-8367-8c1b9055f403";
        let message = entry(PERSON, &format!("message#{id}"), 1);
        let data = serde_json::to_value(&between_mail(None, Some(&message))[0]).unwrap();
        assert_eq!(data, json!({ "userId": PERSON, "messageId": id }));
        assert_eq!(told(None, Some(&message)), [(MailWhat::MessageSent, at(1))]);
        assert_eq!((told(Some(&message), Some(&message)), told(Some(&message), None)), (vec![], vec![]));
        let own = |minute| entry(PERSON, "suppressed#a", minute);
        assert_eq!(told(None, Some(&own(2))), [(MailWhat::Suppressed, at(2))]);
        assert_eq!(told(Some(&own(2)), Some(&own(3))), [(MailWhat::Suppressed, at(3))]);
        let address = format!("address#{}", "a".repeat(43));
        assert_eq!(told(None, Some(&entry(&address, "suppressed", 2))), []);
        assert_eq!(told(None, Some(&entry(&address, &format!("message#{id}"), 2))), []);
    }

    fn states() -> impl Strategy<Value = Profile> {
        let time = || prop::option::of((1..4_i64).prop_map(at));
        (time(), time(), "[ab]").prop_map(|(last_sign_in_at, password_changed_at, name)| Profile {
            last_sign_in_at,
            password_changed_at,
            full_name: crate::FullName::new(&name).unwrap(),
            ..ann()
        })
    }

    proptest! {
        #[test]
        fn every_difference_is_told_and_no_other(old in states(), new in states()) {
            let told: Vec<_> = told(Some(&old), Some(&new)).into_iter().map(|(what, _)| what).collect();
            let differs = |at: fn(&Profile) -> Option<Timestamp>| at(&new).is_some() && at(&new) != at(&old);
            prop_assert_eq!(told.contains(&What::SignedIn), differs(|profile| profile.last_sign_in_at));
            prop_assert_eq!(told.contains(&What::PasswordChanged), differs(|profile| profile.password_changed_at));
            prop_assert_eq!(told.contains(&What::ProfileChanged), new.full_name != old.full_name);
            prop_assert!(!told.contains(&What::SignedUp));
        }

        #[test]
        fn a_profile_that_is_as_it_was_tells_nothing(profile in states()) {
            prop_assert_eq!(told(Some(&profile), Some(&profile)), []);
        }

        #[test]
        fn a_profile_that_is_first_seen_later_tells_all_that_it_says(new in states()) {
            let count = 1 + [new.last_sign_in_at, new.password_changed_at].iter().flatten().count();
            prop_assert_eq!(told(None, Some(&new)).len(), count);
        }
    }
}
