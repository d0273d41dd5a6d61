//! What people see in the shop's pages of what they send by hand: here, since it changes how the shop sends.

mod in_a_browser {
    use serde_json::json;
    use tests::browser::Browser;
    use tests::shop::{order_id, product};
    use tests::wait::eventually;

    use crate::open;

    #[tokio::test]
    async fn two_sellers_send_their_parcels_and_the_buyer_sees_each_of_them_come() {
        let (shop, aws, _soon) = open().await;
        let (ann, eve, bob) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
        let (tea, cup) = (
            ann.sells(product().named("tea").stock(9)).await,
            eve.sells(product().named("cup").stock(9)).await,
        );
        let by_hand = aws.change("create-order").await.env("FULFILMENT", "manual").make().await;
        let items = json!({ "items": [{ "id": tea.id, "quantity": 2 }, { "id": cup.id, "quantity": 1 }] });
        let order = order_id(&bob.post("/orders", &items).await.is(201));
        by_hand.undo();
        eventually("the buyer is told that it was placed", async || {
            (bob.get("/notifications").await.is(200)["unread"] == 1).then_some(())
        })
        .await;

        let mut buyers = Browser::wide();
        buyers.is_signed_in_as(&bob);
        buyers.go(&format!("/shop/orders/{order}"));
        buyers.event("Network.webSocketHandshakeResponseReceived", "response");
        buyers.unread(1);
        buyers.eval("window.isTheSame = true");
        let mut sellers = Browser::wide();
        for (seller, carrier, number) in [(&ann, "DHL", "JD 014 600"), (&eve, "GLS", "Z5 998 121")] {
            sellers.is_signed_in_as(seller);
            sellers.go("/shop/sell/orders");
            sellers.clicks(&format!("main a[href='/shop/sell/orders/{order}']"));
            sellers.writes("[name=carrier]", carrier);
            sellers.writes("[name=trackingNumber]", number);
            sellers.writes("[name=trackingUrl]", &format!("https://parcels.example/{carrier}"));
            sellers.clicks("main form button[type=submit]");
            sellers.says("Has it arrived?");
            buyers.event("Network.webSocketFrameReceived", "order.parcel-sent");
            buyers.says(&format!("{carrier} {number}"));
        }
        // The second parcel is the last, so the order is on its way as well.
        buyers.event("Network.webSocketFrameReceived", "order.shipped");
        buyers.unread(4);
        buyers.says("2 parcels");
        let links = "[...document.querySelectorAll('.parcels a')].map(one => one.href).sort()";
        let expected = json!(["https://parcels.example/DHL", "https://parcels.example/GLS"]);
        assert_eq!(buyers.eval(links), expected);
        assert_eq!(buyers.eval("window.isTheSame"), true, "nothing was loaded again");
        sellers.is_content();
        buyers.is_content();
    }
}
