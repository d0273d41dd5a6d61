//! The Connections table: who listens by which WebSocket, and who may open one.
//!
//! | what | keys |
//! | --- | --- |
//! | a ticket, good for one socket within a minute | `userId`, `entry` = `ticket#{hash of the ticket}` |
//! | a person's socket, in one of ten places | `userId`, `entry` = `socket#{0 to 9}` |
//! | whose it is and where, for when it closes | `userId` = `socket#{connection id}`, `entry` = `#owner` |
//!
//! A ticket goes in the transaction that writes its socket down: so it opens one and no second. The socket takes a
//! place that is free, or else that of the oldest, on the condition that the place is as it was read: so nobody has
//! more than ten, however many they open at the same time. API Gateway closes a socket after two hours; what it does
//! not tell of is found gone when something is pushed, or DynamoDB deletes it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::caller::UserId;
use shared::dynamo::{
    Item, Remains, Write, Written, backoff, from_item, number, read_each, text, to_item,
    unless_condition_failed,
};
use shared::http::problem::Busy;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::{ConnectionId, Handshake, Opening};
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;

use crate::SCHEMA_VERSION;
use crate::gateway::Gateway;

/// How long a ticket is good.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// How long a socket is kept: ten minutes longer than API Gateway keeps it.
const KEPT: Duration = Duration::from_mins(130);

/// How many sockets a person may have: the oldest goes for one more.
pub const MOST_SOCKETS: usize = 10;

/// How often a place is looked for, since others of the same person took those that were free.
const TRIES: u32 = 20;

/// How many entries are forgotten in a call.
const AT_ONCE: i32 = 100;

const SOCKET: &str = "socket#";

const OWNER: &str = "#owner";

shared::token!(
    /// The secret part of a ticket.
    TicketToken, "Socket-Ticket"
);

/// What opens one socket: whose, and a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    person: UserId,
    token: TicketToken,
}

impl Ticket {
    /// As its holder has it.
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.person, self.token.reveal())
    }

    /// Who finds the table finds no ticket in it.
    fn entry(&self) -> String {
        format!("ticket#{}", URL_SAFE_NO_PAD.encode(Sha256::digest(self.token.bytes())))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("person", &self.person).finish_non_exhaustive()
    }
}

/// The text is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTicket;

impl FromStr for Ticket {
    type Err = NoTicket;

    fn from_str(text: &str) -> Result<Self, NoTicket> {
        let (person, token) = text.rsplit_once('.').ok_or(NoTicket)?;
        let is_person = (1..=128).contains(&person.len()) && !person.contains('#');
        let token = token.parse().map_err(|_| NoTicket)?;
        if is_person { Ok(Self { person: UserId::from(person.to_owned()), token }) } else { Err(NoTicket) }
    }
}

/// What whoever wants a socket is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketIssued {
    url: String,
    ticket: String,
    expires_in: u64,
}

/// Who listens by which socket.
#[derive(Debug, Clone)]
pub struct Sockets {
    client: Client,
    table: String,
}

impl FromEnv for Sockets {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("CONNECTIONS_TABLE") })
    }
}

/// Tickets, with where they open a socket.
#[derive(Debug, Clone)]
pub struct Tickets {
    sockets: Sockets,
    url: String,
}

impl FromEnv for Tickets {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { sockets: Sockets::from_env(aws)?, url: config::required("SOCKET_URL")? })
    }
}

impl Tickets {
    /// Gives a person a ticket. One put. A repetition gives another one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn issue(&self, person: &UserId, now: Timestamp) -> anyhow::Result<TicketIssued> {
        let ticket = self.sockets.issue(person, now).await?;
        let (url, ticket) = (self.url.clone(), ticket.reveal());
        Ok(TicketIssued { url, ticket, expires_in: GOOD_FOR.as_secs() })
    }
}

/// A socket of a person's, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Socket {
    user_id: UserId,
    /// Its place, as the table's key.
    entry: String,
    connection_id: ConnectionId,
    opened_at: Timestamp,
    expires_at: i64,
    schema_version: u32,
}

impl Socket {
    fn new(person: &UserId, place: String, connection: &ConnectionId, now: Timestamp) -> Self {
        Self {
            user_id: person.clone(),
            entry: place,
            connection_id: connection.clone(),
            opened_at: now,
            expires_at: (now + KEPT).unix_seconds(),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// As API Gateway calls it.
    pub fn connection(&self) -> &ConnectionId {
        &self.connection_id
    }

    /// Since when it is open.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }
}

/// Whose a socket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    user_id: String,
    entry: String,
    owner: UserId,
    place: String,
    expires_at: i64,
    schema_version: u32,
}

impl Owner {
    fn of(socket: &Socket) -> Self {
        Self {
            user_id: format!("{SOCKET}{}", socket.connection_id),
            entry: OWNER.to_owned(),
            owner: socket.user_id.clone(),
            place: socket.entry.clone(),
            expires_at: socket.expires_at,
            schema_version: SCHEMA_VERSION,
        }
    }
}

/// Which place a new socket takes: one that is free, or else that of the oldest, which goes.
fn place_among(sockets: &[Socket]) -> (String, Option<&Socket>) {
    let mut places = (0..MOST_SOCKETS).map(|number| format!("{SOCKET}{number}"));
    let free = places.find(|place| sockets.iter().all(|socket| socket.entry != *place));
    let oldest = sockets.iter().min_by_key(|socket| socket.opened_at);
    match (free, oldest) {
        (None, Some(oldest)) => (oldest.entry.clone(), Some(oldest)),
        (free, _) => (free.unwrap_or_else(|| format!("{SOCKET}0")), None),
    }
}

/// What becomes of whoever comes with a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// There is a socket, and another one of the person's has to go for it if this names one.
    Opened {
        /// The oldest.
        instead_of: Option<ConnectionId>,
    },
    /// The ticket is unknown, used or too old.
    Refused,
}

impl Sockets {
    /// Writes a new ticket of a person's down.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn issue(&self, person: &UserId, now: Timestamp) -> anyhow::Result<Ticket> {
        let ticket = Ticket { person: person.clone(), token: TicketToken::from_bytes(random_bytes()) };
        let end = now + GOOD_FOR;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(&person.to_string(), &ticket.entry())))
            .item("goodUntil", text(&end))
            .item("expiresAt", number(end.unix_seconds()))
            .item("schemaVersion", number(SCHEMA_VERSION));
        put.send().await.context("write a ticket down")?;
        Ok(ticket)
    }

    /// Opens a socket by a ticket, which is gone then. A repetition is refused.
    ///
    /// # Errors
    /// [`Busy`] where too many open one for the same person, otherwise when the table cannot be read or written.
    pub async fn open(
        &self,
        ticket: &Ticket,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> anyhow::Result<Admission> {
        for attempt in 0..TRIES {
            let sockets = self.of(&ticket.person).await?;
            let (place, oldest) = place_among(&sockets);
            let socket = Socket::new(&ticket.person, place, connection, now);
            let mut write = Write::new();
            let taken = write.delete(self.ticket(ticket, now)?);
            write.put(self.placed(&socket, oldest)?);
            write.put(self.put(&Owner::of(&socket))?.build()?);
            if let Some(oldest) = oldest {
                let gone =
                    Delete::builder().table_name(&self.table).set_key(Some(owner_key(oldest.connection())));
                write.delete(gone.build()?);
            }
            match write.commit(&self.client).await? {
                Written::Done(()) => {
                    return Ok(Admission::Opened { instead_of: oldest.map(|one| one.connection_id.clone()) });
                }
                Written::Refused(found) if found.at(taken).is_some() => return Ok(Admission::Refused),
                Written::Refused(_) => tokio::time::sleep(backoff(attempt)).await,
            }
        }
        Err(Busy).context("find a place for a socket")
    }

    /// That a ticket is used, if it is good.
    fn ticket(&self, ticket: &Ticket, now: Timestamp) -> anyhow::Result<Delete> {
        Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key(&ticket.person.to_string(), &ticket.entry())))
            .condition_expression("goodUntil > :now")
            .expression_attribute_values(":now", text(&now))
            .build()
            .context("use a ticket")
    }

    /// That a socket has its place, if that is as it was read.
    fn placed(&self, socket: &Socket, before: Option<&Socket>) -> anyhow::Result<Put> {
        let put = self.put(socket)?;
        let put = match before {
            None => put.condition_expression("attribute_not_exists(entry)"),
            Some(before) => put
                .condition_expression("connectionId = :before")
                .expression_attribute_values(":before", text(before.connection())),
        };
        put.build().context("write a socket down")
    }

    fn put(&self, value: &impl Serialize) -> anyhow::Result<PutBuilder> {
        Ok(Put::builder().table_name(&self.table).set_item(Some(to_item(value)?)))
    }

    /// Forgets a socket that is closed. Safe to repeat. What is forgotten of it in part only is found gone when
    /// something is pushed.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn close(&self, connection: &ConnectionId) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(owner_key(connection)));
        let gone =
            delete.return_values(ReturnValue::AllOld).send().await.context("forget whose a socket is")?;
        match gone.attributes.map(from_item::<Owner>).transpose()? {
            Some(Owner { owner, place, .. }) => self.leave(&owner, &place, connection).await,
            None => Ok(()),
        }
    }

    /// The same for one that was read. Another one that has its place by now stays.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn drop_one(&self, socket: &Socket) -> anyhow::Result<()> {
        self.leave(&socket.user_id, &socket.entry, socket.connection()).await?;
        self.delete(owner_key(socket.connection())).await
    }

    /// Frees a place, if it is still that of this socket.
    async fn leave(&self, person: &UserId, place: &str, connection: &ConnectionId) -> anyhow::Result<()> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(&person.to_string(), place)))
            .condition_expression("connectionId = :connection")
            .expression_attribute_values(":connection", text(connection));
        unless_condition_failed(delete.send().await).map(drop).context("forget a socket")
    }

    /// The sockets by which a person listens, in one query: ten at most.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of(&self, person: &UserId) -> anyhow::Result<Vec<Socket>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :person AND begins_with(entry, :socket)")
            .expression_attribute_values(":person", text(person))
            .expression_attribute_values(":socket", text(SOCKET))
            .consistent_read(true);
        let found = query.send().await.context("read by which sockets somebody listens")?;
        Ok(read_each(found.items.unwrap_or_default(), "entry"))
    }

    /// Forgets all that a person listens by and could open a socket with, a hundred entries in a call. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn forget(&self, person: &UserId) -> anyhow::Result<Remains> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :person")
            .expression_attribute_values(":person", text(person))
            .projection_expression("userId, entry, connectionId")
            .consistent_read(true)
            .limit(AT_ONCE);
        let found = query.send().await.context("read the sockets of somebody who goes")?;
        for mut item in found.items.unwrap_or_default() {
            if let Some(Ok(connection)) = item.remove("connectionId").as_ref().map(AttributeValue::as_s) {
                self.delete(owner_key(&connection.clone().into())).await?;
            }
            self.delete(item).await?;
        }
        Ok(if found.last_evaluated_key.is_some() { Remains::More } else { Remains::Nothing })
    }

    async fn delete(&self, key: Item) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        delete.send().await.map(drop).context("forget an entry of a socket")
    }
}

fn key(person: &str, entry: &str) -> Item {
    Item::from([("userId".to_owned(), text(person)), ("entry".to_owned(), text(entry))])
}

fn owner_key(connection: &ConnectionId) -> Item {
    key(&format!("{SOCKET}{connection}"), OWNER)
}

/// Where sockets open.
#[derive(Debug, Clone)]
pub struct Door {
    gateway: Gateway,
    sockets: Sockets,
}

impl FromEnv for Door {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { gateway: Gateway::from_env(aws)?, sockets: Sockets::from_env(aws)? })
    }
}

impl Door {
    /// Lets those have a socket whose query has a good ticket, and closes a person's oldest one for the eleventh.
    ///
    /// # Errors
    /// When the table cannot be read or written. A socket that cannot be closed hears nothing more.
    pub async fn shake_hands(&self, opening: &Opening, now: Timestamp) -> anyhow::Result<Handshake> {
        let Some(ticket) = opening.parameter::<Ticket>("ticket") else { return Ok(Handshake::Refused) };
        let Admission::Opened { instead_of } = self.sockets.open(&ticket, &opening.connection, now).await?
        else {
            return Ok(Handshake::Refused);
        };
        if let Some(oldest) = instead_of
            && let Err(error) = self.gateway.close(&oldest).await
        {
            let error = format!("{error:#}");
            tracing::warn!(connection = %oldest, error, "a socket was not closed for another");
        }
        Ok(Handshake::Accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_says_whose_it_is_and_prints_no_secret() {
        let ticket =
            Ticket { person: UserId::from("5d0c-7e".to_owned()), token: TicketToken::from_bytes([7; 16]) };
        assert_eq!(ticket.reveal().parse(), Ok(ticket.clone()));
        assert!(!format!("{ticket:?}").contains(&ticket.token.reveal()));
        assert!(!ticket.entry().contains(&ticket.token.reveal()));
        let token = ticket.token.reveal();
        for other in
            [String::new(), token.clone(), format!(".{token}"), format!("guest#1.{token}"), "ann.x".into()]
        {
            assert_eq!(other.parse::<Ticket>(), Err(NoTicket), "{other}");
        }
    }

    #[test]
    fn a_socket_takes_the_first_place_that_is_free_and_the_oldest_ones_where_none_is() {
        let ann = UserId::from("ann".to_owned());
        // The oldest has place 7.
        let at = |place: usize| Timestamp::from_unix_millis(i64::try_from((place + 3) % 10).unwrap());
        let socket = |place: usize| {
            let connection = format!("c{place}").into();
            Socket::new(&ann, format!("{SOCKET}{place}"), &connection, at(place))
        };
        assert_eq!(place_among(&[]), ("socket#0".to_owned(), None));
        let mut sockets: Vec<_> = (0..MOST_SOCKETS).map(socket).collect();
        assert_eq!(place_among(&sockets), ("socket#7".to_owned(), Some(&sockets[7])));
        sockets.remove(3);
        assert_eq!(place_among(&sockets), ("socket#3".to_owned(), None));
    }
}
