//! Deletes what was announced with a picture that never came, and tells the admins.

use std::future::Future;
use std::time::Duration;

use crate::notice::Notices;
use crate::run::telemetry;
use crate::values::text::isolated;
use crate::values::time::Timestamp;

/// How long a thing may be without its picture. Its upload URL is long past then.
const PATIENCE: Duration = Duration::from_hours(1);

/// As many as one run deletes well within its timeout; the next run takes the rest.
const BATCH: i32 = 200;

/// SNS takes 256 KB; this many names fit many times over.
const MOST_NAMED: usize = 200;

/// What one of some things is called, and several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noun {
    /// `berry`
    pub one: &'static str,
    /// `berries`
    pub many: &'static str,
}

/// Things that are deleted when their picture does not come, as their store keeps them.
pub trait AwaitsPicture {
    /// What the admins call them.
    const NOUN: Noun;

    /// One of them.
    type Thing;

    /// What the admins call this one.
    fn name(thing: &Self::Thing) -> String;

    /// At most `limit` of those that have waited for their picture since before `cutoff`, oldest first.
    fn waiting_since(
        &self,
        cutoff: Timestamp,
        limit: i32,
    ) -> impl Future<Output = anyhow::Result<Vec<Self::Thing>>>;

    /// Deletes one that still waits: the list tells of a moment ago. Gives whether this call deleted it. Safe to
    /// repeat.
    fn give_up(&self, thing: &Self::Thing, cutoff: Timestamp) -> impl Future<Output = anyhow::Result<bool>>;
}

/// Deletes the things that have had no picture for an hour, and tells the admins how many and which. Safe to repeat:
/// what is gone, or no longer waits, is left alone.
///
/// # Errors
/// When the table or the topic fails. What was deleted until then stays so, and the next run goes on.
pub async fn clean_up<T: AwaitsPicture>(things: &T, notices: &Notices, now: Timestamp) -> anyhow::Result<()> {
    let cutoff = now - PATIENCE;
    let mut deleted = Vec::new();
    for thing in things.waiting_since(cutoff, BATCH).await? {
        if things.give_up(&thing, cutoff).await? {
            let name = T::name(&thing);
            tracing::info!(kind = T::NOUN.one, name, "deleted without a picture");
            deleted.push(name);
        }
    }
    if deleted.is_empty() {
        return Ok(());
    }
    telemetry::count("CleanedUp", u32::try_from(deleted.len()).unwrap_or(u32::MAX));
    let (subject, message) = notice(T::NOUN, &deleted);
    notices.publish(subject, message).await
}

fn notice(noun: Noun, names: &[String]) -> (String, String) {
    let (what, were) = if names.len() == 1 { (noun.one, "was") } else { (noun.many, "were") };
    let count = names.len();
    let lines: String = names.iter().take(MOST_NAMED).map(|name| format!("- {}\n", isolated(name))).collect();
    let subject = format!("{count} {what} without a picture {were} deleted");
    (subject, format!("{count} {what} still had no picture after an hour and {were} deleted:\n{lines}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOUN: Noun = Noun { one: "berry", many: "berries" };

    #[test]
    fn a_notice_says_how_many_and_which() {
        let (subject, message) = notice(NOUN, &["Tea".into(), "Mugs".into()]);
        assert_eq!(subject, "2 berries without a picture were deleted");
        assert_eq!(
            message,
            "2 berries still had no picture after an hour and were deleted:\n- Tea\n- Mugs\n"
        );
        assert_eq!(notice(NOUN, &["Tea".into()]).0, "1 berry without a picture was deleted");
    }

    #[test]
    fn a_notice_names_no_more_than_fit() {
        let (subject, message) = notice(NOUN, &vec!["Tea".to_owned(); 201]);
        assert!(subject.starts_with("201 berries"));
        assert_eq!(message.lines().count(), 201);
    }
}
