//! Sockets: a ticket opens one within a minute, a person has ten, and what is closed is forgotten.

use std::collections::BTreeSet;

use inbox::sockets::{Admission, MOST_SOCKETS, Sockets};
use shared::caller::UserId;
use shared::dynamo::Remains;
use shared::run::worker::ConnectionId;
use tests::shop::unique;
use tests::wait::at_once;

use super::{MILLISECOND, MINUTE, now, open, someone};

const OPENED: Admission = Admission::Opened { instead_of: None };

fn connection() -> ConnectionId {
    unique("socket").replace(' ', "-").into()
}

async fn opens(sockets: &Sockets, person: &UserId, at: u32) -> (ConnectionId, Admission) {
    let (ticket, connection) = (sockets.issue(person, now()).await.expect("the table answers"), connection());
    let admission =
        sockets.open(&ticket, &connection, now() + at * MILLISECOND).await.expect("the table answers");
    (connection, admission)
}

async fn open_ones(sockets: &Sockets, person: &UserId) -> BTreeSet<ConnectionId> {
    let found = sockets.of(person).await.expect("the table answers");
    found.iter().map(|socket| socket.connection().clone()).collect()
}

#[tokio::test]
async fn of_many_who_come_with_a_ticket_one_gets_a_socket_and_none_after_a_minute() {
    let sockets: Sockets = open().await;
    let ann = someone().id().clone();
    let ticket = sockets.issue(&ann, now()).await.unwrap();
    let admissions = at_once(8, |_| {
        let (sockets, ticket) = (sockets.clone(), ticket.clone());
        async move { sockets.open(&ticket, &connection(), now()).await.unwrap() }
    });
    assert_eq!(admissions.await.into_iter().filter(|admission| *admission == OPENED).count(), 1);
    assert_eq!(open_ones(&sockets, &ann).await.len(), 1);
    for (minutes, expected) in [(1, Admission::Refused), (0, OPENED)] {
        let ticket = sockets.issue(&ann, now()).await.unwrap();
        let admission = sockets.open(&ticket, &connection(), now() + minutes * MINUTE).await.unwrap();
        assert_eq!(admission, expected, "{minutes}");
    }
}

#[tokio::test]
async fn the_oldest_of_eleven_sockets_goes_and_what_closes_is_forgotten() {
    let sockets: Sockets = open().await;
    let ann = someone().id().clone();
    let mut all = Vec::new();
    for number in 0..10 {
        let (connection, admission) = opens(&sockets, &ann, number).await;
        assert_eq!(admission, OPENED, "{number}");
        all.push(connection);
    }
    let (eleventh, admission) = opens(&sockets, &ann, 10).await;
    assert_eq!(admission, Admission::Opened { instead_of: Some(all[0].clone()) });
    all.push(eleventh);
    let mut expected: BTreeSet<_> = all[1..].iter().cloned().collect();
    assert_eq!(open_ones(&sockets, &ann).await, expected);
    // API Gateway tells once more, and late, of what has no place any more.
    for _ in 0..2 {
        sockets.close(&all[0]).await.unwrap();
        sockets.close(&all[4]).await.unwrap();
    }
    expected.remove(&all[4]);
    assert_eq!(open_ones(&sockets, &ann).await, expected);
    let (another, admission) = opens(&sockets, &ann, 11).await;
    assert_eq!(admission, OPENED, "there is a free place");
    expected.insert(another);
    assert_eq!(open_ones(&sockets, &ann).await, expected);
    while sockets.forget(&ann).await.unwrap() == Remains::More {}
    assert_eq!(open_ones(&sockets, &ann).await, BTreeSet::new());
}

#[tokio::test]
async fn nobody_has_more_than_ten_however_many_open_at_the_same_time() {
    let sockets: Sockets = open().await;
    let ann = someone().id().clone();
    let admissions = at_once(MOST_SOCKETS + 3, |number| {
        let (sockets, ann) = (sockets.clone(), ann.clone());
        async move { opens(&sockets, &ann, u32::try_from(number).unwrap()).await }
    });
    let opened = admissions.await;
    let gone: Vec<_> = opened
        .iter()
        .filter_map(|(_, admission)| match admission {
            Admission::Opened { instead_of } => instead_of.clone(),
            Admission::Refused => panic!("a good ticket was refused"),
        })
        .collect();
    let all: BTreeSet<_> = opened.iter().map(|(connection, _)| connection.clone()).collect();
    let left = open_ones(&sockets, &ann).await;
    assert_eq!((gone.len(), left.len()), (3, MOST_SOCKETS));
    assert_eq!(all.difference(&left).count(), 3);
    assert!(gone.iter().all(|connection| all.contains(connection) && !left.contains(connection)));
}

#[tokio::test]
async fn what_is_found_gone_is_forgotten_and_not_what_has_its_place_by_then() {
    let sockets: Sockets = open().await;
    let ann = someone().id().clone();
    let (first, _) = opens(&sockets, &ann, 0).await;
    let found = sockets.of(&ann).await.unwrap();
    sockets.drop_one(&found[0]).await.unwrap();
    let (second, _) = opens(&sockets, &ann, 1).await;
    sockets.drop_one(&found[0]).await.unwrap();
    sockets.close(&first).await.unwrap();
    assert_eq!(open_ones(&sockets, &ann).await, BTreeSet::from([second]));
}
