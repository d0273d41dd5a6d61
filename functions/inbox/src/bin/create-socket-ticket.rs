//! `POST /socket-tickets`: gives the caller what opens one WebSocket within a minute.
//!
//! A repetition gives another one.

use inbox::sockets::{TicketIssued, Tickets};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/socket-tickets", create_socket_ticket)).await
}

async fn create_socket_ticket(
    State(tickets): State<Tickets>,
    caller: Caller,
    Now(now): Now,
) -> Result<Answer<TicketIssued>, Problem> {
    Ok(Answer::created(tickets.issue(caller.id(), now).await?))
}
