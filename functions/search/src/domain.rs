//! An OpenSearch domain instead of files and pointer, for a shop that outgrew them: what was found, and what changed.
//! <https://docs.opensearch.org/latest/api-reference/>
//!
//! Of two who write the same product at the same time, one may have read an older state of it. So whoever writes asks
//! the domain first how often each document was written (`_seq_no`), then reads the tables, and writes on the condition
//! that nobody did since.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::Context;
use products::ProductId;
use serde_json::{Value, json};
use shared::run::aws::Aws;
use shared::run::config::{self, ConfigError};
use shared::run::outside::Method;
use shared::run::signed::Signed;

use crate::engine::{self, Document, Facets, Query, Sort, Suggestion};
use crate::found::{Found, Hit, Place};

/// The name of the index in the domain.
const INDEX: &str = "products";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// How many documents are written or read in one request: some megabytes.
const AT_ONCE: usize = 500;

/// How many values a count has.
const COUNTED: usize = 100;

/// A domain.
#[derive(Debug, Clone)]
pub struct Domain {
    endpoint: String,
    signed: Signed,
}

/// How the domain has a document, as whoever is about to write it found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The version of its face.
    pub(crate) version: u64,
    written: Written,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    seq_no: u64,
    primary_term: u64,
}

impl Domain {
    /// The domain that the variable `SEARCH_DOMAIN_ENDPOINT` names; most shops have none.
    ///
    /// # Errors
    /// Never; the environment is asked like this everywhere.
    pub fn if_any(aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let endpoint: Option<String> = config::optional("SEARCH_DOMAIN_ENDPOINT")?;
        Ok(endpoint.map(|endpoint| Self { endpoint, signed: Signed::new(aws, "es") }))
    }

    /// Asks, and gives status and body of the answer.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: &str,
    ) -> anyhow::Result<(u16, Value)> {
        let url = format!("{}/{INDEX}{path}", self.endpoint);
        let answer = self.signed.send(method, &url, media_type, body, PATIENCE).await?;
        let body = serde_json::from_slice(&answer.body);
        Ok((answer.status, body.with_context(|| format!("the domain answered {} to {path}", answer.status))?))
    }

    async fn ask_json(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, answer) = self.ask(method, path, "application/json", &body.to_string()).await?;
        anyhow::ensure!(status == 200, "the domain answered {status} to {path}: {}", kind_of(&answer));
        Ok(answer)
    }

    /// Makes the index with its fields, unless it is there.
    ///
    /// # Errors
    /// When the domain refuses.
    pub async fn begin(&self) -> anyhow::Result<()> {
        let (status, answer) = self.ask(Method::Put, "", "application/json", &fields().to_string()).await?;
        let is_there = kind_of(&answer) == "resource_already_exists_exception";
        anyhow::ensure!(status == 200 || is_there, "the domain answered {status}: {}", kind_of(&answer));
        Ok(())
    }

    /// A part of what fits.
    ///
    /// # Errors
    /// When the domain fails.
    pub(crate) async fn search(&self, query: &Query, behind: Option<&[Value]>) -> anyhow::Result<Found> {
        found(&self.ask_json(Method::Post, "/_search", &question(query, behind)).await?)
    }

    /// Names that begin as somebody types.
    ///
    /// # Errors
    /// When the domain fails.
    pub(crate) async fn suggest(&self, text: &str, limit: usize) -> anyhow::Result<Vec<Suggestion>> {
        let body = json!({
            "query": { "match_bool_prefix": { "name": { "query": text, "operator": "and" } } },
            "_source": ["name"], "size": limit, "track_total_hits": false,
        });
        let answer = self.ask_json(Method::Post, "/_search", &body).await?;
        let hits = answer["hits"]["hits"].as_array().context("no hits")?;
        let suggestion = |hit: &Value| {
            let text = hit["_source"]["name"].as_str().context("a document without a name")?.to_owned();
            Ok(Suggestion { text, product_id: id_of(hit)?.into() })
        };
        hits.iter().map(suggestion).collect()
    }

    /// How the domain has these products, as far as it has them.
    ///
    /// # Errors
    /// When the domain fails.
    pub(crate) async fn known(&self, ids: &BTreeSet<ProductId>) -> anyhow::Result<HashMap<ProductId, Known>> {
        let mut known = HashMap::new();
        let ids: Vec<_> = ids.iter().collect();
        for ids in ids.chunks(AT_ONCE) {
            let answer =
                self.ask_json(Method::Post, "/_mget?_source=version", &json!({ "ids": ids })).await?;
            for document in answer["docs"].as_array().context("no documents")? {
                if document["found"] == true {
                    known.insert(id_of(document)?, known_of(document)?);
                }
            }
        }
        Ok(known)
    }

    /// Writes these changes, each if nobody has written its product since it was `known`. Gives those of which somebody
    /// has.
    ///
    /// # Errors
    /// When the domain fails, or refuses a document. Some of them may be written.
    pub(crate) async fn write(
        &self,
        changes: &[engine::Change],
        known: &HashMap<ProductId, Known>,
    ) -> anyhow::Result<BTreeSet<ProductId>> {
        let mut overtaken = BTreeSet::new();
        for changes in changes.chunks(AT_ONCE) {
            let lines: String = changes.iter().map(|change| line(change, known)).collect();
            // Until it can be found: whoever is told that a product is indexed may look for it.
            let (status, answer) =
                self.ask(Method::Post, "/_bulk?refresh=wait_for", "application/x-ndjson", &lines).await?;
            anyhow::ensure!(status == 200, "the domain answered {status}: {}", kind_of(&answer));
            for item in answer["items"].as_array().context("no items")? {
                let item = item.as_object().and_then(|item| item.values().next()).context("an empty item")?;
                match item["status"].as_u64() {
                    Some(200 | 201 | 404) => {}
                    Some(409) => overtaken.extend([id_of(item)?]),
                    status => {
                        anyhow::bail!("the domain answered {status:?} to a document: {}", kind_of(item))
                    }
                }
            }
        }
        Ok(overtaken)
    }

    /// The version of each document that the domain has, a thousand at a time.
    ///
    /// # Errors
    /// When the domain fails.
    pub(crate) async fn versions(&self) -> anyhow::Result<HashMap<ProductId, u64>> {
        let mut versions = HashMap::new();
        let mut behind = Value::Null;
        loop {
            let mut body = json!({
                "query": { "match_all": {} }, "_source": ["version"], "sort": [{ "id": "asc" }], "size": 2 * AT_ONCE,
                "track_total_hits": false,
            });
            if !behind.is_null() {
                body["search_after"] = behind;
            }
            let answer = self.ask_json(Method::Post, "/_search", &body).await?;
            let hits = answer["hits"]["hits"].as_array().context("no hits")?;
            for hit in hits {
                versions.insert(id_of(hit)?, version_of(hit)?);
            }
            let Some(last) = hits.last() else { return Ok(versions) };
            behind = last["sort"].clone();
        }
    }
}

/// What kind of error an answer tells, without what it was about.
fn kind_of(answer: &Value) -> &str {
    answer["error"]["type"].as_str().unwrap_or("no reason")
}

fn id_of(document: &Value) -> anyhow::Result<ProductId> {
    document["_id"].as_str().and_then(|id| id.parse().ok()).context("a document whose id is none of ours")
}

/// As text: JSON's numbers are doubles to some.
fn version_of(document: &Value) -> anyhow::Result<u64> {
    let version = document["_source"]["version"].as_str();
    version.and_then(|version| version.parse().ok()).context("a document without a version")
}

fn known_of(document: &Value) -> anyhow::Result<Known> {
    let number = |name: &str| document[name].as_u64().with_context(|| format!("a document without {name}"));
    let written = Written { seq_no: number("_seq_no")?, primary_term: number("_primary_term")? };
    Ok(Known { version: version_of(document)?, written })
}

/// The fields of a document.
fn fields() -> Value {
    let text = json!({ "type": "text", "analyzer": "words" });
    let filter = ["lowercase", "asciifolding", "possessive", "stems"];
    json!({
        "settings": { "analysis": {
            "filter": {
                "possessive": { "type": "stemmer", "language": "possessive_english" },
                "stems": { "type": "stemmer", "language": "english" },
            },
            "analyzer": { "words": { "type": "custom", "tokenizer": "standard", "filter": filter } },
            "normalizer": { "number": { "type": "custom", "filter": ["lowercase", "asciifolding"] } },
        } },
        "mappings": { "dynamic": "strict", "properties": {
            "id": { "type": "keyword" }, "version": { "type": "keyword", "index": false }, "name": text,
            "description": text, "category": { "type": "keyword", "fields": { "words": text } },
            "storeId": { "type": "keyword" }, "store": { "type": "keyword" },
            "sku": { "type": "keyword", "normalizer": "number" }, "price": { "type": "long" },
            "inStock": { "type": "boolean" }, "rating": { "type": "byte" }, "createdAt": { "type": "long" },
        } },
    })
}

fn document(of: &Document) -> Value {
    let store = of.store.as_ref();
    json!({
        "id": of.product_id, "version": of.version.to_string(), "name": of.name, "description": of.description,
        "category": of.category, "storeId": store.map(|store| store.id),
        "store": store.map(|store| format!("{} {}", store.id, store.name)), "sku": of.sku.as_deref().map(squeezed),
        "price": of.price, "inStock": of.in_stock, "rating": of.rating, "createdAt": of.created_at,
    })
}

/// A seller's number without the signs that people leave out.
fn squeezed(sku: &str) -> String {
    sku.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What a change is in the body of a `_bulk` request.
fn line(change: &engine::Change, known: &HashMap<ProductId, Known>) -> String {
    let id = match change {
        engine::Change::Put(document) => document.product_id,
        engine::Change::Delete(id) => *id,
    };
    let mut action = json!({ "_id": id });
    let known = known.get(&id.into());
    if let Some(Known { written, .. }) = known {
        action["if_seq_no"] = written.seq_no.into();
        action["if_primary_term"] = written.primary_term.into();
    }
    match (change, known) {
        (engine::Change::Put(new), Some(_)) => format!("{}\n{}\n", json!({ "index": action }), document(new)),
        (engine::Change::Put(new), None) => format!("{}\n{}\n", json!({ "create": action }), document(new)),
        (engine::Change::Delete(_), _) => format!("{}\n", json!({ "delete": action })),
    }
}

/// The body of a search.
fn question(query: &Query, behind: Option<&[Value]>) -> Value {
    let text = query.text.trim();
    let words = if text.is_empty() {
        json!({ "match_all": {} })
    } else {
        let (number, whole) = (squeezed(text), ["name^4", "category.words^1.5", "description"]);
        let mut any = vec![
            json!({ "multi_match": {
                "query": text, "fields": whole, "operator": "and", "fuzziness": "AUTO:4,8", "prefix_length": 1,
            } }),
            json!({ "match_phrase": { "name": { "query": text, "boost": 8 } } }),
            json!({ "match_bool_prefix": { "name": { "query": text, "operator": "and" } } }),
        ];
        if number.chars().count() >= 4 {
            any.push(json!({ "term": { "sku": { "value": number, "boost": 100 } } }));
            any.push(json!({ "prefix": { "sku": { "value": number, "boost": 20 } } }));
        }
        json!({ "bool": { "should": any, "minimum_should_match": 1 } })
    };
    let mut filters = Vec::new();
    if query.min_price.is_some() || query.max_price.is_some() {
        filters.push(json!({ "range": { "price": { "gte": query.min_price, "lte": query.max_price } } }));
    }
    if query.in_stock {
        filters.push(json!({ "term": { "inStock": true } }));
    }
    if let Some(rating) = query.min_rating {
        filters.push(json!({ "range": { "rating": { "gte": rating } } }));
    }
    let hidden: Vec<_> = query.hidden_stores.iter().collect();
    // Whatever is chosen of a count's own kind leaves that count as it is.
    let category =
        query.category.iter().map(|name| json!({ "term": { "category": name } })).collect::<Vec<_>>();
    let store = query.store.iter().map(|id| json!({ "term": { "storeId": id } })).collect::<Vec<_>>();
    let count = |field: &str, others: &[Value]| {
        json!({
            "filter": { "bool": { "filter": others } },
            "aggs": { "values": { "terms": { "field": field, "size": COUNTED } } },
        })
    };
    let chosen = [category.clone(), store.clone()].concat();
    let mut body = json!({
        "query": { "bool": { "must": [words], "filter": filters, "must_not": [{ "terms": { "storeId": hidden } }] } },
        "post_filter": { "bool": { "filter": chosen } },
        "aggs": { "categories": count("category", &store), "stores": count("store", &category) },
        "sort": order(query), "size": query.limit, "_source": false, "track_total_hits": true,
    });
    if let Some(behind) = behind {
        body["search_after"] = behind.into();
    }
    body
}

/// In which order: of what is alike, by id.
fn order(query: &Query) -> Value {
    let by = match query.sort {
        Sort::Relevance if query.text.trim().is_empty() => json!({ "createdAt": "desc" }),
        Sort::Relevance => json!({ "_score": "desc" }),
        Sort::PriceAscending => json!({ "price": "asc" }),
        Sort::PriceDescending => json!({ "price": "desc" }),
        Sort::Newest => json!({ "createdAt": "desc" }),
        Sort::Rating => json!({ "rating": { "order": "desc", "missing": "_last" } }),
    };
    json!([by, { "id": "asc" }])
}

/// What a search found, out of its answer.
fn found(answer: &Value) -> anyhow::Result<Found> {
    let hits = answer["hits"]["hits"].as_array().context("no hits")?;
    let hit = |hit: &Value| {
        let behind = hit["sort"].as_array().context("a hit without its place")?.clone();
        anyhow::Ok(Hit { product_id: id_of(hit)?, place: Place::Domain(behind) })
    };
    let buckets = |count: &str| -> Vec<(String, u64)> {
        let buckets = answer["aggregations"][count]["values"]["buckets"].as_array().into_iter().flatten();
        let pair = |one: &Value| Some((one["key"].as_str()?.to_owned(), one["doc_count"].as_u64()?));
        buckets.filter_map(pair).collect()
    };
    let store = |(face, count): (String, u64)| {
        let (id, name) = face.split_once(' ')?;
        Some((id.parse().ok()?, name.to_owned(), count))
    };
    Ok(Found {
        hits: hits.iter().map(hit).collect::<anyhow::Result<_>>()?,
        total: answer["hits"]["total"]["value"].as_u64().context("no total")?,
        facets: Facets {
            categories: buckets("categories"),
            stores: buckets("stores").into_iter().filter_map(store).collect(),
        },
        is_partial: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::StoreFace;
    use shared::run::aws::canned::answering;
    use shared::run::outside::stand_in::{Reply, StandIn};

    const TEA: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
    const POT: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44eb";

    fn id(text: &str) -> ProductId {
        text.parse().unwrap()
    }

    /// A domain that answers these, and what it is asked.
    async fn domain(answers: &[(u16, Value)]) -> (Domain, StandIn) {
        let replies = answers.iter().map(|(status, body)| Reply::answer(*status, body.to_string()));
        let server = StandIn::start(replies.collect::<Vec<_>>()).await;
        let aws = Aws::for_tests(answering(200, &Value::Null).0);
        (Domain { endpoint: server.url.clone(), signed: Signed::new(&aws, "es") }, server)
    }

    fn tea() -> Document {
        Document {
            product_id: id(TEA).into(),
            name: "Green tea".into(),
            description: "From Uji.".into(),
            category: "Drinks".into(),
            store: Some(StoreFace { id: id(POT).into(), name: "Tea & more".into() }),
            sku: Some("TEA-1/b".into()),
            price: 450,
            in_stock: true,
            rating: Some(45),
            created_at: 1_790_000_000_000,
            version: u64::MAX,
        }
    }

    fn body(server: &StandIn, number: usize) -> Value {
        server.asked()[number].body.parse().unwrap()
    }

    #[tokio::test]
    async fn what_was_found_comes_in_its_order_with_its_counts_and_places() {
        let hit = |id: &str, price: u64| json!({ "_id": id, "sort": [price, id] });
        let buckets = |of: &[(&str, u64)]| {
            let buckets: Vec<_> =
                of.iter().map(|(key, count)| json!({ "key": key, "doc_count": count })).collect();
            json!({ "values": { "buckets": buckets } })
        };
        let (domain, server) = domain(&[(
            200,
            json!({
                "hits": { "total": { "value": 7, "relation": "eq" }, "hits": [hit(TEA, 450), hit(POT, 900)] },
                "aggregations": {
                    "categories": buckets(&[("Drinks", 5), ("Kitchen", 2)]),
                    "stores": buckets(&[(&format!("{POT} Tea & more"), 3)]),
                }
            }),
        )])
        .await;
        let query = Query { sort: Sort::PriceAscending, limit: 26, ..Query::default() };
        let found = domain.search(&query, None).await.unwrap();
        let place = |price: u64, id: &str| Place::Domain(vec![price.into(), id.into()]);
        let hits: Vec<_> = found.hits.iter().map(|hit| (hit.product_id, hit.place.clone())).collect();
        assert_eq!(hits, [(id(TEA), place(450, TEA)), (id(POT), place(900, POT))]);
        assert_eq!(found.total, 7);
        assert_eq!(found.facets.categories, [("Drinks".to_owned(), 5), ("Kitchen".to_owned(), 2)]);
        assert_eq!(found.facets.stores, [(id(POT).into(), "Tea & more".to_owned(), 3)]);
        let asked = server.asked();
        assert_eq!(asked[0].what, "POST /products/_search");
        assert!(asked[0].headers["authorization"].contains("/us-east-1/es/aws4_request"), "{asked:?}");
        let body = body(&server, 0);
        assert_eq!(
            (&body["size"], &body["sort"]),
            (&json!(26), &json!([{ "price": "asc" }, { "id": "asc" }]))
        );
        assert_eq!(body["query"]["bool"]["must"], json!([{ "match_all": {} }]));
    }

    #[test]
    fn a_question_has_each_filter_and_no_count_has_its_own() {
        let query = Query {
            text: " green tea ".into(),
            category: Some("Drinks".into()),
            store: Some(id(POT).into()),
            min_price: Some(100),
            max_price: Some(500),
            in_stock: true,
            min_rating: Some(45),
            ..Query::default()
        };
        let body = question(&query, Some(&[json!(1.5), json!(TEA)]));
        let filters = &body["query"]["bool"]["filter"];
        assert_eq!(filters[0], json!({ "range": { "price": { "gte": 100, "lte": 500 } } }));
        assert_eq!(filters[1], json!({ "term": { "inStock": true } }));
        assert_eq!(filters[2], json!({ "range": { "rating": { "gte": 45 } } }));
        let category = json!({ "term": { "category": "Drinks" } });
        let store = json!({ "term": { "storeId": POT } });
        assert_eq!(body["post_filter"]["bool"]["filter"], json!([category, store]));
        assert_eq!(body["aggs"]["categories"]["filter"]["bool"]["filter"], json!([store]));
        assert_eq!(body["aggs"]["stores"]["filter"]["bool"]["filter"], json!([category]));
        assert_eq!(body["search_after"], json!([1.5, TEA]));
        assert_eq!(body["sort"], json!([{ "_score": "desc" }, { "id": "asc" }]));
        let ways = body["query"]["bool"]["must"][0]["bool"]["should"].as_array().unwrap();
        assert!(ways.iter().any(|way| way["term"]["sku"]["value"] == "greentea"), "{ways:?}");
        // What people type is never a language of its own.
        assert!(!body.to_string().contains("query_string"));
    }

    #[tokio::test]
    async fn each_change_is_on_the_condition_that_nobody_wrote_since_and_whom_somebody_did_is_told() {
        let (domain, server) = domain(&[
            (
                200,
                json!({ "docs": [
                    { "_id": TEA, "found": true, "_seq_no": 7, "_primary_term": 2, "_source": { "version": "12" } },
                    { "_id": POT, "found": false },
                ] }),
            ),
            (
                200,
                json!({ "errors": true, "items": [
                    { "index": { "_id": TEA, "status": 409, "error": { "type": "version_conflict_engine_exception" } } },
                    { "create": { "_id": POT, "status": 201 } },
                ] }),
            ),
        ])
        .await;
        let known = domain.known(&BTreeSet::from([id(TEA), id(POT)])).await.unwrap();
        let versions: Vec<_> = known.iter().map(|(id, known)| (*id, known.version)).collect();
        assert_eq!(versions, [(id(TEA), 12)]);
        let pot = Document { product_id: id(POT).into(), store: None, sku: None, rating: None, ..tea() };
        let changes = [engine::Change::Put(tea()), engine::Change::Put(pot)];
        assert_eq!(domain.write(&changes, &known).await.unwrap(), BTreeSet::from([id(TEA)]));
        let asked = server.asked();
        assert_eq!(asked[0].what, "POST /products/_mget?_source=version");
        assert_eq!(asked[1].what, "POST /products/_bulk?refresh=wait_for");
        let lines: Vec<Value> = asked[1].body.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(lines[0], json!({ "index": { "_id": TEA, "if_seq_no": 7, "if_primary_term": 2 } }));
        assert_eq!(
            lines[1],
            json!({
                "id": TEA, "version": "18446744073709551615", "name": "Green tea", "description": "From Uji.",
                "category": "Drinks", "storeId": POT, "store": format!("{POT} Tea & more"), "sku": "TEA1b",
                "price": 450, "inStock": true, "rating": 45, "createdAt": 1_790_000_000_000_u64,
            })
        );
        assert_eq!(lines[2], json!({ "create": { "_id": POT } }));
        assert_eq!((&lines[3]["store"], &lines[3]["sku"]), (&Value::Null, &Value::Null));
    }

    #[tokio::test]
    async fn what_is_taken_out_twice_is_out_and_what_is_refused_is_an_error() {
        let deletion = [engine::Change::Delete(id(TEA).into())];
        let item = |status: u16| json!({ "items": [{ "delete": { "_id": TEA, "status": status } }] });
        for (status, is_done) in [(200, true), (404, true), (400, false), (429, false), (503, false)] {
            let (domain, _server) = domain(&[(200, item(status))]).await;
            assert_eq!(domain.write(&deletion, &HashMap::new()).await.is_ok(), is_done, "{status}");
        }
        for status in [403, 429, 500] {
            let (domain, _server) = domain(&[(status, json!({ "error": { "type": "busy" } }))]).await;
            let error = domain.write(&deletion, &HashMap::new()).await.unwrap_err().to_string();
            assert!(error.contains(&status.to_string()) && error.contains("busy"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_index_is_made_once_and_its_versions_are_read_to_the_end() {
        let exists = json!({ "error": { "type": "resource_already_exists_exception" } });
        let (made, server) = domain(&[(200, json!({})), (400, exists), (400, json!({}))]).await;
        made.begin().await.unwrap();
        made.begin().await.unwrap();
        assert!(made.begin().await.is_err());
        assert_eq!(server.asked()[0].what, "PUT /products");
        let page = |ids: &[&str]| {
            let hits: Vec<_> = ids
                .iter()
                .map(|id| json!({ "_id": id, "sort": [id], "_source": { "version": "5" } }))
                .collect();
            (200, json!({ "hits": { "hits": hits } }))
        };
        let (domain, server) = domain(&[page(&[TEA]), page(&[POT]), page(&[])]).await;
        let versions = domain.versions().await.unwrap();
        assert_eq!(versions, HashMap::from([(id(TEA), 5), (id(POT), 5)]));
        assert_eq!(body(&server, 0)["search_after"], Value::Null);
        assert_eq!(body(&server, 2)["search_after"], json!([POT]));
    }

    #[tokio::test]
    async fn names_are_suggested_as_somebody_types() {
        let answer = json!({ "hits": { "hits": [{ "_id": TEA, "_source": { "name": "Green tea" } }] } });
        let (domain, server) = domain(&[(200, answer)]).await;
        let suggestions = domain.suggest("gre", 8).await.unwrap();
        let expected = Suggestion { text: "Green tea".into(), product_id: id(TEA).into() };
        assert_eq!(suggestions, [expected]);
        assert_eq!(body(&server, 0)["size"], 8);
    }
}
