//! `PUT /returns/{id}`: agrees to a return, refuses it, or says that it is here and pays it back; queues its email.
//!
//! Safe to repeat: the return moves once, and with it stock and money come back once.

use orders::ReturnId;
use orders::returns::{Decision, ReturnView};
use payments::returning::Returning;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};
use shared::run::telemetry;
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/returns/{id}", decide_return)).await
}

async fn decide_return(
    State((_, returning)): State<(Admins, Returning)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ReturnId>,
    Now(now): Now,
    Input(decision): Input<Decision>,
) -> Result<Answer<ReturnView>, Problem> {
    telemetry::about("returns", id);
    Ok(Answer::ok(returning.decide(&caller, id, &decision, now).await?.into()))
}
