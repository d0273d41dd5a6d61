//! Sockets: a ticket opens one within a minute, a person has ten, and what is closed is forgotten.

use inbox::sockets::{MOST_SOCKETS, Sockets};
use shared::caller::UserId;
use shared::dynamo::Remains;
use shared::run::worker::ConnectionId;
use tests::shop::unique;
use tests::wait::at_once;

use super::{MILLISECOND, MINUTE, now, open, someone};

fn connection() -> ConnectionId {
    unique("socket").replace(' ', "-").into()
}

async fn opened(sockets: &Sockets, person: &UserId, at: u32) -> ConnectionId {
    let (ticket, connection) = (sockets.issue(person, now()).await.unwrap(), connection());
    assert!(sockets.open(&ticket, &connection, now() + at * MILLISECOND).await.unwrap());
    connection
}

#[tokio::test]
async fn of_many_who_come_with_a_ticket_one_gets_a_socket_and_none_after_a_minute() {
    let sockets: Sockets = open().await;
    let ann = someone().id().clone();
    let ticket = sockets.issue(&ann, now()).await.unwrap();
    let opened = at_once(8, |_| {
        let (sockets, ticket) = (sockets.clone(), ticket.clone());
        async move { sockets.open(&ticket, &connection(), now()).await.unwrap() }
    });
    assert_eq!(opened.await.into_iter().filter(|is_open| *is_open).count(), 1);
    assert_eq!(sockets.of(&ann).await.unwrap().len(), 1);
    let late = sockets.issue(&ann, now()).await.unwrap();
    assert!(!sockets.open(&late, &connection(), now() + MINUTE).await.unwrap());
}

#[tokio::test]
async fn the_oldest_of_eleven_sockets_is_forgotten_and_so_is_what_closes() {
    let sockets: Sockets = open().await;
    let ann = someone().id().clone();
    let mut open = Vec::new();
    for number in 0..=10 {
        open.push(opened(&sockets, &ann, number).await);
    }
    let mut found = sockets.of(&ann).await.unwrap();
    found.sort_unstable();
    let mut expected = open.split_off(1);
    expected.sort_unstable();
    assert_eq!((found.len(), &found), (MOST_SOCKETS, &expected));
    for _ in 0..2 {
        sockets.close(&expected[0]).await.unwrap();
        sockets.close(&open[0]).await.unwrap();
    }
    assert_eq!(sockets.of(&ann).await.unwrap().len(), MOST_SOCKETS - 1);
    while sockets.forget(&ann).await.unwrap() == Remains::More {}
    assert_eq!(sockets.of(&ann).await.unwrap(), []);
}
