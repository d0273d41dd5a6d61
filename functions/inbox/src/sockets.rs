//! The Connections table: who listens by which WebSocket, and who may open one.
//!
//! | what | keys |
//! | --- | --- |
//! | a ticket, good for one socket within a minute | `userId`, `entry` = `ticket#{hash of the ticket}` |
//! | a socket of a person's | `userId`, `entry` = `socket#{connection id}` |
//! | whose a socket is, for when it closes | `userId` = `socket#{connection id}`, `entry` = `#owner` |
//!
//! A ticket goes in the transaction that writes its socket: so it opens one and no second. API Gateway closes a socket
//! after two hours; what it does not tell of is found gone when something is pushed, or DynamoDB deletes it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, Put, ReturnValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shared::caller::UserId;
use shared::dynamo::{Item, Remains, Write, Written, number, text};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::{ConnectionId, Handshake, Opening};
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;

use crate::SCHEMA_VERSION;

/// How long a ticket is good.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// How long a socket is kept: ten minutes longer than API Gateway keeps it.
const KEPT: Duration = Duration::from_mins(130);

/// How many sockets a person may have: the oldest goes for one more.
pub const MOST_SOCKETS: usize = 10;

const SOCKET: &str = "socket#";

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

/// A socket, as the table has it: which, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Socket {
    connection: ConnectionId,
    connected_at: String,
}

impl Socket {
    fn of(item: &Item) -> Option<Self> {
        let connection = item.get("entry")?.as_s().ok()?.strip_prefix(SOCKET)?.to_owned();
        let connected_at = item.get("connectedAt")?.as_s().ok()?.clone();
        Some(Self { connection: connection.into(), connected_at })
    }
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
            .item("userId", text(person))
            .item("entry", text(&ticket.entry()))
            .item("goodUntil", text(&end))
            .item("expiresAt", number(end.unix_seconds()))
            .item("schemaVersion", number(SCHEMA_VERSION));
        put.send().await.context("write a ticket down")?;
        Ok(ticket)
    }

    /// Opens a socket by a ticket, which is gone then; whether it was good. Of more than ten sockets the oldest are
    /// forgotten with it.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn open(
        &self,
        ticket: &Ticket,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let person = &ticket.person;
        let mut open = self.all_of(person).await?;
        open.sort_unstable_by(|one, other| one.connected_at.cmp(&other.connected_at));
        let surplus = (open.len() + 1).saturating_sub(MOST_SOCKETS);
        let mut write = Write::new();
        write.delete(
            Delete::builder()
                .table_name(&self.table)
                .set_key(Some(key(person, &ticket.entry())))
                .condition_expression("goodUntil > :now")
                .expression_attribute_values(":now", text(&now))
                .build()?,
        );
        write.put(self.socket(person, connection, now)?);
        write.put(self.owner(person, connection, now)?);
        for old in open.into_iter().take(surplus) {
            let keys = [key(person, &entry_of(&old.connection)), owner_key(&old.connection)];
            for key in keys {
                write.delete(Delete::builder().table_name(&self.table).set_key(Some(key)).build()?);
            }
        }
        Ok(write.commit(&self.client).await? == Written::Done(()))
    }

    /// Lets those have a socket whose query has a good ticket.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn shake_hands(&self, opening: &Opening, now: Timestamp) -> anyhow::Result<Handshake> {
        let Some(ticket) = opening.parameter::<Ticket>("ticket") else { return Ok(Handshake::Refused) };
        let is_open = self.open(&ticket, &opening.connection, now).await?;
        Ok(if is_open { Handshake::Accepted } else { Handshake::Refused })
    }

    fn socket(&self, person: &UserId, connection: &ConnectionId, now: Timestamp) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.table).set_item(Some(key(person, &entry_of(connection))));
        put.item("connectedAt", text(&now))
            .item("expiresAt", number((now + KEPT).unix_seconds()))
            .item("schemaVersion", number(SCHEMA_VERSION))
            .build()
            .context("write a socket down")
    }

    fn owner(&self, person: &UserId, connection: &ConnectionId, now: Timestamp) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.table).set_item(Some(owner_key(connection)));
        put.item("owner", text(person))
            .item("expiresAt", number((now + KEPT).unix_seconds()))
            .item("schemaVersion", number(SCHEMA_VERSION))
            .build()
            .context("write down whose a socket is")
    }

    /// Forgets a socket that is closed. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn close(&self, connection: &ConnectionId) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(owner_key(connection)));
        let gone = delete.return_values(ReturnValue::AllOld).send().await.context("forget a socket")?;
        let owner = gone.attributes.and_then(|old| old.get("owner")?.as_s().ok().cloned());
        let Some(owner) = owner else { return Ok(()) };
        self.delete(key(&UserId::from(owner), &entry_of(connection))).await
    }

    /// The sockets by which a person listens, in one query.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of(&self, person: &UserId) -> anyhow::Result<Vec<ConnectionId>> {
        Ok(self.all_of(person).await?.into_iter().map(|socket| socket.connection).collect())
    }

    async fn all_of(&self, person: &UserId) -> anyhow::Result<Vec<Socket>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :person AND begins_with(entry, :socket)")
            .expression_attribute_values(":person", text(person))
            .expression_attribute_values(":socket", text(SOCKET))
            .consistent_read(true)
            // With those that a fault has left; they go in two hours.
            .limit(2 * i32::try_from(MOST_SOCKETS).unwrap_or(i32::MAX));
        let found = query.send().await.context("read by which sockets somebody listens")?;
        Ok(found.items.unwrap_or_default().iter().filter_map(Socket::of).collect())
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
            .consistent_read(true)
            .limit(100);
        let found = query.send().await.context("read the sockets of somebody who goes")?;
        for item in found.items.unwrap_or_default() {
            if let Some(socket) = Socket::of(&item) {
                self.delete(owner_key(&socket.connection)).await?;
            }
            let key = item.into_iter().filter(|(name, _)| matches!(name.as_str(), "userId" | "entry"));
            self.delete(key.collect()).await?;
        }
        Ok(if found.last_evaluated_key.is_some() { Remains::More } else { Remains::Nothing })
    }

    async fn delete(&self, key: Item) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        delete.send().await.map(drop).context("forget a socket")
    }
}

fn entry_of(connection: &ConnectionId) -> String {
    format!("{SOCKET}{connection}")
}

fn key(person: &UserId, entry: &str) -> Item {
    Item::from([("userId".to_owned(), text(person)), ("entry".to_owned(), text(entry))])
}

fn owner_key(connection: &ConnectionId) -> Item {
    Item::from([("userId".to_owned(), text(&entry_of(connection))), ("entry".to_owned(), text("#owner"))])
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
}
