//! What is pushed to whoever listens by a WebSocket: that there is something new in the inbox.
//!
//! It is a hint. It is sent after the inbox has it, so whoever gets it finds it there; and whoever misses it, since the
//! socket broke or a function died, asks on opening a socket for all that came `after` the last that they know.
//!
//! Whether a person wants to hear of it is asked for those alone who listen. A socket of an account that is closed, or
//! from before its password was changed, is closed instead.

use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::time::Timestamp;
use users::preferences::Way;
use users::{Profile, Users};

use crate::gateway::{Gateway, Posted};
use crate::sockets::{Socket, Sockets};
use crate::{Kind, News, NotificationId};

/// How long a socket may be written down before API Gateway knows it: until then it is not gone, it is opening.
const OPENING: Duration = Duration::from_secs(30);

/// A notification that its person is to be told of at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pushed {
    user_id: UserId,
    #[serde(flatten)]
    what: Envelope,
}

/// What the page gets of it; the words are in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Envelope {
    id: NotificationId,
    kind: Kind,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

impl Pushed {
    /// That there are these news, under this id.
    pub fn of(id: NotificationId, news: &News) -> Self {
        let what = Envelope { id, kind: news.kind, at: news.time, subject: news.subject.clone() };
        Self { user_id: news.to.clone(), what }
    }
}

/// The queue of what is to be pushed.
#[derive(Debug, Clone)]
pub struct PushQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl FromEnv for PushQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let client = aws_sdk_sqs::Client::new(aws.sdk());
        Ok(Self { client, url: config::required("PUSH_QUEUE_URL")? })
    }
}

impl PushQueue {
    /// Queues a hint. What cannot be queued is in the inbox all the same.
    pub async fn send_or_leave(&self, pushed: &Pushed) {
        if let Err(error) = self.send(pushed).await {
            tracing::warn!(error = format!("{error:#}"), "a hint was lost");
            telemetry::count("HintLost", 1);
        }
    }

    async fn send(&self, pushed: &Pushed) -> anyhow::Result<()> {
        let body = serde_json::to_string(pushed)?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue a hint")
    }
}

/// What a socket gets when there is something new for its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The hint.
    Hint,
    /// Nothing: its person does not want to hear of that.
    Silence,
    /// Its end: whoever opened it has no business with the account any more.
    End,
}

impl Turn {
    fn of(socket: &Socket, profile: Option<&Profile>, kind: Kind) -> Self {
        let Some(profile) = profile.filter(|profile| profile.status.is_active()) else { return Self::End };
        if profile.password_changed_at.is_some_and(|changed| socket.opened_at() < changed) {
            return Self::End;
        }
        match kind.group() {
            Some(group) if !profile.wants(group, Way::Push) => Self::Silence,
            _ => Self::Hint,
        }
    }
}

/// Pushing to sockets.
#[derive(Debug, Clone)]
pub struct Pushing {
    gateway: Gateway,
    sockets: Sockets,
    users: Users,
}

impl FromEnv for Pushing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let (gateway, sockets) = (Gateway::from_env(aws)?, Sockets::from_env(aws)?);
        Ok(Self { gateway, sockets, users: Users::from_env(aws)? })
    }
}

impl Pushing {
    /// Tells a person of a notification by every socket that is open, at most ten, side by side; forgets those that are
    /// gone, and closes those that are not to hear of it any more. One query where there are none. Safe to repeat: a
    /// hint that comes twice is the same hint.
    ///
    /// # Errors
    /// When it cannot be read by which sockets the person listens, or what of. A socket that does not take the hint is
    /// passed over.
    pub async fn push(&self, pushed: &Pushed, now: Timestamp) -> anyhow::Result<()> {
        telemetry::about("notifications", pushed.what.id);
        let sockets = self.sockets.of(&pushed.user_id).await?;
        if sockets.is_empty() {
            return Ok(());
        }
        let profile = self.users.find(&pushed.user_id).await?;
        let hint = serde_json::to_vec(&pushed.what).context("write a hint")?;
        let (profile, hint) = (profile.as_ref(), hint.as_slice());
        let each = join_all(sockets.iter().map(|socket| async move {
            match Turn::of(socket, profile, pushed.what.kind) {
                Turn::Hint => self.tell(socket, hint, now).await,
                Turn::Silence => Ok(()),
                Turn::End => self.end(socket).await,
            }
        }));
        for (socket, done) in sockets.iter().zip(each.await) {
            if let Err(error) = done {
                let error = format!("{error:#}");
                tracing::warn!(connection = %socket.connection(), error, "a socket was passed over");
            }
        }
        Ok(())
    }

    async fn tell(&self, socket: &Socket, hint: &[u8], now: Timestamp) -> anyhow::Result<()> {
        match self.gateway.post(socket.connection(), hint).await? {
            Posted::Taken => telemetry::count("HintPushed", 1),
            Posted::Gone if socket.opened_at() + OPENING > now => {}
            Posted::Gone => self.sockets.drop_one(socket).await?,
        }
        Ok(())
    }

    async fn end(&self, socket: &Socket) -> anyhow::Result<()> {
        self.gateway.close(socket.connection()).await?;
        self.sockets.drop_one(socket).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use serde_json::{Value, json};
    use shared::run::aws::canned::{answering_requests, item};
    use users::preferences::Group;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + 1000 * second)
    }

    fn pushed(kind: Kind) -> Pushed {
        let news = News {
            to: UserId::from("ann".to_owned()),
            kind,
            subject: Some("order".into()),
            about: crate::About::of(["Tea"]),
            time: Timestamp::from_unix_millis(0),
        };
        Pushed::of("1795262400000".parse().unwrap(), &news)
    }

    #[test]
    fn a_hint_names_the_notification_and_not_the_person() {
        let pushed = pushed(Kind::OrderShipped);
        let hint = json!({
            "id": "1795262400000", "kind": "order.shipped", "at": "1970-01-01T00:00:00.000Z", "subject": "order"
        });
        assert_eq!(serde_json::to_value(&pushed.what).unwrap(), hint);
        let queued = serde_json::to_value(&pushed).unwrap();
        assert_eq!(queued["userId"], "ann");
        assert_eq!(serde_json::from_value::<Pushed>(queued).unwrap(), pushed);
    }

    fn socket(connection: &str, opened: i64) -> Value {
        json!({
            "userId": "ann", "entry": format!("socket#{connection}"), "connectionId": connection,
            "openedAt": at(opened), "expiresAt": 1, "schemaVersion": 1
        })
    }

    fn profile(more: &Value) -> Value {
        let mut profile = json!({
            "userId": "ann", "email": "ann@cartwright.test", "fullName": "Ann Fox", "username": "ann",
            "createdAt": at(0)
        });
        profile.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        profile
    }

    #[test]
    fn a_choice_is_asked_for_what_it_is_about_and_nobody_hears_of_an_account_that_is_closed() {
        let turn = |more: Value, kind: Kind| {
            let profile: Profile = serde_json::from_value(profile(&more)).unwrap();
            Turn::of(&serde_json::from_value(socket("a", 10)).unwrap(), Some(&profile), kind)
        };
        for kind in Kind::ALL {
            let name = match kind.group() {
                Some(Group::Orders) => "ordersPush",
                Some(Group::Sales) => "salesPush",
                Some(Group::Reviews) => "reviewsPush",
                Some(Group::Marketing) => "marketingPush",
                None => "none",
            };
            let unwanted = if name == "none" { Turn::Hint } else { Turn::Silence };
            assert_eq!(turn(json!({}), kind), Turn::Hint, "{kind}");
            assert_eq!(turn(json!({ name: false }), kind), unwanted, "{kind}");
            assert_eq!(turn(json!({ "status": "disabled", name: false }), kind), Turn::End, "{kind}");
        }
        let changed = |second| turn(json!({ "passwordChangedAt": at(second) }), Kind::SaleMade);
        assert_eq!((changed(10), changed(11)), (Turn::Hint, Turn::End));
        let gone = Turn::of(&serde_json::from_value(socket("a", 10)).unwrap(), None, Kind::SaleMade);
        assert_eq!(gone, Turn::End);
    }

    /// What is asked of AWS when there is something new at second 100, `METHOD connection` of sockets, and how often
    /// tables are written; each socket answers as its name says.
    async fn asked(sockets: &[Value], profile: Option<&Value>) -> (Vec<String>, usize) {
        let found = json!({ "Items": sockets.iter().map(item).collect::<Vec<_>>() });
        let profile = profile.map_or(json!({}), |profile| json!({ "Item": item(profile) }));
        let of_sockets = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&of_sockets);
        let (sdk, asked) = answering_requests(move |request, body| {
            if let Some((_, connection)) = request.uri().split_once("/live/@connections/") {
                seen.lock().unwrap().push(format!("{} {connection}", request.method()));
                let error = |status, name: &str| (status, json!({ "__type": name, "message": name }));
                return match connection {
                    _ if connection.starts_with("gone") => error(410, "GoneException"),
                    _ if connection.starts_with("large") => error(413, "PayloadTooLargeException"),
                    _ if connection.starts_with("busy") => error(429, "LimitExceededException"),
                    _ => (200, json!({})),
                };
            }
            let is_write = body["Key"]["entry"].is_object();
            let answer = if body["KeyConditionExpression"].is_string() { &found } else { &profile };
            (200, if is_write { json!({}) } else { answer.clone() })
        });
        let aws = Aws::for_tests(sdk);
        let gateway = Gateway::at(&aws, "https://api.test/live");
        let tables = [("CONNECTIONS_TABLE", Some("connections")), ("USERS_TABLE", Some("users"))];
        let (sockets, users) = temp_env::with_vars(tables, || {
            (Sockets::from_env(&aws).unwrap(), Users::from_env(&aws).unwrap())
        });
        let pushing = Pushing { gateway, sockets, users };
        pushing.push(&pushed(Kind::OrderShipped), at(100)).await.unwrap();
        let mut of_sockets = of_sockets.lock().unwrap().clone();
        of_sockets.sort_unstable();
        let writes = asked.lock().unwrap().iter().filter(|body| body["Key"]["entry"].is_object()).count();
        (of_sockets, writes)
    }

    #[tokio::test]
    async fn a_socket_that_is_gone_is_forgotten_and_one_that_opens_or_takes_nothing_is_not() {
        let sockets = [
            socket("a1=", 0),
            socket("gone-long", 0),
            socket("gone-opening", 71),
            socket("large", 0),
            socket("busy", 0),
        ];
        let (asked, writes) = asked(&sockets, Some(&profile(&json!({})))).await;
        let posts = ["POST a1%3D", "POST busy", "POST gone-long", "POST gone-opening", "POST large"]
            .map(str::to_owned);
        assert_eq!((asked, writes), (posts.to_vec(), 2));
    }

    #[tokio::test]
    async fn sockets_of_whoever_has_left_are_closed_and_forgotten() {
        let sockets = [socket("a", 0), socket("gone", 99)];
        let (asked, writes) = asked(&sockets, None).await;
        assert_eq!((asked, writes), (vec!["DELETE a".to_owned(), "DELETE gone".to_owned()], 4));
    }

    #[tokio::test]
    async fn nobody_is_looked_up_who_does_not_listen() {
        assert_eq!(asked(&[], None).await, (Vec::new(), 0));
    }
}
