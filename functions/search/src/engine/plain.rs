//! Search as it is meant: product by product, with nothing that makes it quick. An index has to answer the same.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tantivy::DocSet as _;
use tantivy::postings::Postings as _;
use tantivy::schema::IndexRecordOption;

use super::matching::{
    BEGINNING_OF_SKU, BESIDE, CATEGORY_TOO, COVERED, DESCRIPTION_TOO, EACH, LONG, WHOLE_NAME, WHOLE_SKU,
};
use super::plan::{EXACT, Group, Leaf, Plan, Reading};
use super::segment::{Segment, Text};
use super::{
    DEEPEST, Document, Facets, Hit, Index, MOST_LETTERS, Page, Position, Query, Sort, StoreFace, StoreId,
    Suggestion, analyser, schema,
};

/// What is in an index, read term by term, with what each product is.
struct Shop {
    index: Index,
    products: Vec<Product>,
}

struct Product {
    document: Document,
    /// The terms of each text, with the places where they stand.
    terms: [HashMap<String, Vec<u32>>; 4],
    length: u32,
    /// Its segment and its place there.
    at: (usize, u32),
}

impl Shop {
    /// Of these documents: whatever an index has of a product that is not deleted it has of them.
    fn of(index: Index, documents: &[Document]) -> Self {
        let documents: HashMap<_, _> =
            documents.iter().map(|document| (document.product_id, document.clone())).collect();
        let mut products = Vec::new();
        for (nth, segment) in index.inner.segments.iter().enumerate() {
            let mut terms =
                vec![<[HashMap<String, Vec<u32>>; 4]>::default(); segment.reader.max_doc() as usize];
            for text in [Text::Name, Text::Category, Text::Description, Text::Sku] {
                read(segment, text, |doc, term, places| {
                    terms[doc as usize][text as usize].insert(term, places);
                });
            }
            for (doc, terms) in (0..).zip(terms).filter(|(doc, _)| segment.is_alive(*doc)) {
                let length = u32::from(segment.columns.length.all()[doc as usize]);
                let document = documents[&segment.id(doc)].clone();
                products.push(Product { document, terms, length, at: (nth, doc) });
            }
        }
        assert_eq!(products.len(), documents.len());
        Self { index, products }
    }

    /// Those that may be known of.
    fn shown(&self, hidden: &HashSet<StoreId>) -> Vec<&Product> {
        let is_hidden = |store: &StoreFace| hidden.contains(&store.id);
        self.products
            .iter()
            .filter(|product| !product.document.store.as_ref().is_some_and(is_hidden))
            .collect()
    }

    fn search(&self, query: &Query) -> Page {
        let text: String = query.text.chars().take(MOST_LETTERS).collect();
        let shown = self.shown(&query.hidden_stores);
        if text.trim().is_empty() {
            return page(query, shown.into_iter().map(|product| (product, 0)).collect(), false, false);
        }
        let plan = Plan::of(&text, &self.index.inner.segments, Reading::Search).unwrap();
        let all = |of: &dyn Fn(&Product) -> Option<u32>| -> Vec<_> {
            shown.iter().filter_map(|product| of(product).map(|score| (*product, score))).collect()
        };
        let whole = all(&|product| product.all_words(&plan));
        if !whole.is_empty() {
            return page(query, whole, true, false);
        }
        let by_number = all(&|product| product.by_number(&plan, true));
        let plan = plan.one_by_one();
        if !by_number.is_empty() || plan.groups.len() < 2 {
            return page(query, by_number, true, false);
        }
        let some = all(&|product| product.some_words(&plan));
        let most = some.iter().map(|(_, score)| score / COVERED).max().unwrap_or_default();
        let least = (plan.groups.len() as u32).max(most.saturating_sub(2)).min(most);
        let some = some.into_iter().filter(|(_, score)| score / COVERED >= least);
        page(
            query,
            some.map(|(product, score)| (product, score + product.of_name(&plan) / 16)).collect(),
            true,
            true,
        )
    }

    fn suggest(&self, text: &str, limit: usize, hidden: &HashSet<StoreId>) -> Vec<Suggestion> {
        let text: String = text.chars().take(MOST_LETTERS).collect();
        let plan = Plan::of(&text, &self.index.inner.segments, Reading::Typing).unwrap();
        let plan = Plan { sku: None, ..plan };
        let shown = self.shown(hidden).into_iter();
        let mut best: Vec<_> =
            shown.filter_map(|product| product.all_words(&plan).map(|score| (product, score))).collect();
        best.sort_by_key(|(product, score)| (Reverse(*score), product.document.product_id, product.at));
        best.truncate(limit * 4);
        let mut seen = HashSet::new();
        let names = best.into_iter().map(|(Product { document, .. }, _)| Suggestion {
            text: document.name.clone(),
            product_id: document.product_id,
        });
        names.filter(|suggestion| seen.insert(analyser::squeeze(&suggestion.text))).take(limit).collect()
    }
}

/// All terms of a text, with the products that have them.
fn read(segment: &Segment, text: Text, mut found: impl FnMut(u32, String, Vec<u32>)) {
    let terms = segment.terms(text);
    let mut stream = terms.terms().stream().unwrap();
    while stream.advance() {
        let term = String::from_utf8(stream.key().to_vec()).unwrap();
        let record = IndexRecordOption::WithFreqsAndPositions;
        let mut list = terms.read_postings_from_terminfo(stream.value(), record).unwrap();
        while list.doc() != tantivy::TERMINATED {
            let mut places = Vec::new();
            if text == Text::Name {
                list.positions(&mut places);
            }
            found(list.doc(), term.clone(), places);
            list.advance();
        }
    }
}

impl Product {
    fn places(&self, text: Text, term: &str) -> Option<&Vec<u32>> {
        self.terms[text as usize].get(term)
    }

    fn has(&self, Leaf { text, terms, in_a_row, .. }: &Leaf) -> bool {
        let mut places = terms.iter().map(|term| self.places(*text, term));
        if !in_a_row {
            return places.any(|places| places.is_some());
        }
        let Some(places) = places.collect::<Option<Vec<_>>>().filter(|places| !places.is_empty()) else {
            return false;
        };
        let stand_behind =
            |first: &u32| (0..).zip(&places).all(|(nth, places)| places.contains(&(first + nth)));
        *text != Text::Name || places[0].iter().any(stand_behind)
    }

    /// What a word gives.
    fn word(&self, Group { options, parts }: &Group) -> Option<u32> {
        let (mut score, mut too) = (0, BTreeSet::new());
        for leaf in options.iter().filter(|leaf| self.has(leaf)) {
            if leaf.score > 0 || score > 0 {
                score = score.max(u32::from(leaf.score));
                too.insert(match leaf.text {
                    Text::Name if leaf.score == 0 => -BESIDE,
                    Text::Name | Text::Sku => 0,
                    Text::Category => CATEGORY_TOO,
                    Text::Description => DESCRIPTION_TOO,
                });
            }
        }
        let of_parts = parts.iter().map(|part| self.word(part)).sum::<Option<u32>>().unwrap_or_default();
        score = score.max(of_parts / (parts.len().max(1) as u32));
        (score > 0).then(|| score.checked_add_signed(too.into_iter().sum()).unwrap())
    }

    fn all_words(&self, plan: &Plan) -> Option<u32> {
        let words = plan.groups.iter().map(|group| self.word(group)).sum::<Option<u32>>();
        let words = words.filter(|_| !plan.groups.is_empty()).map(|score| score + self.of_name(plan));
        words.max(self.by_number(plan, false))
    }

    fn some_words(&self, plan: &Plan) -> Option<u32> {
        let words: Vec<u32> = plan.groups.iter().filter_map(|group| self.word(group)).collect();
        let of_word = |score: &u32| {
            let covered = if *score >= u32::from(EXACT) { 2 * COVERED } else { COVERED };
            covered + EACH + score / 32
        };
        (!words.is_empty()).then(|| words.iter().map(of_word).sum())
    }

    fn by_number(&self, plan: &Plan, of_letters: bool) -> Option<u32> {
        let number = plan.sku.as_ref()?;
        let may_begin =
            number.chars().count() >= 4 && (of_letters || number.contains(|c: char| c.is_ascii_digit()));
        let sku = self.terms[Text::Sku as usize].keys().next()?;
        if sku == number {
            return Some(WHOLE_SKU);
        }
        (may_begin && sku.starts_with(number.as_str())).then_some(BEGINNING_OF_SKU)
    }

    fn of_name(&self, plan: &Plan) -> u32 {
        let is_whole = schema::whole_name(&self.document.name) == plan.whole_name;
        2 * u32::from(LONG).saturating_sub(self.length) + if is_whole { WHOLE_NAME } else { 0 }
    }

    fn key(&self, sort: Sort, by_score: bool, score: u32) -> u64 {
        let Document { price, rating, created_at, in_stock, .. } = self.document;
        match sort {
            Sort::Relevance if by_score => {
                let rating = u64::from(rating.unwrap_or(40));
                (u64::from(score) << 42)
                    | (u64::from(in_stock) << 41)
                    | (rating << 35)
                    | (created_at as u64 / 1000)
            }
            Sort::Relevance | Sort::Newest => created_at as u64 + (1 << 63),
            Sort::PriceAscending => u64::MAX - price,
            Sort::PriceDescending => price,
            Sort::Rating => rating.map_or(0, u64::from),
        }
    }
}

fn page(query: &Query, found: Vec<(&Product, u32)>, by_score: bool, is_partial: bool) -> Page {
    let (mut hits, mut categories) = (Vec::new(), BTreeMap::<_, u64>::new());
    let mut stores = BTreeMap::<_, BTreeMap<_, u64>>::new();
    for (product, score) in found {
        let document = &product.document;
        let passes = query.min_price.is_none_or(|least| document.price >= least)
            && query.max_price.is_none_or(|most| document.price <= most)
            && (!query.in_stock || document.in_stock)
            && query.min_rating.is_none_or(|least| document.rating.unwrap_or_default() >= least);
        let of_category = query.category.as_ref().is_none_or(|wanted| *wanted == document.category);
        let store = document.store.as_ref();
        let of_store = query.store.is_none_or(|wanted| store.is_some_and(|store| store.id == wanted));
        if passes && of_store {
            *categories.entry(document.category.clone()).or_default() += 1;
        }
        if let Some(store) = store.filter(|_| passes && of_category) {
            *stores.entry(store.id).or_default().entry(store.name.clone()).or_default() += 1;
        }
        if passes && of_category && of_store {
            hits.push((Reverse(product.key(query.sort, by_score, score)), document.product_id));
        }
    }
    let total = hits.len() as u64;
    hits.sort_unstable();
    hits.retain(|hit| query.after.is_none_or(|after| *hit > (Reverse(after.key), after.id)));
    let before = query.after.map_or(0, |after| after.rank);
    hits.truncate(query.limit.min((DEEPEST - before) as usize));
    let hit = |((Reverse(key), product_id), rank)| Hit {
        product_id,
        position: Position { rank: before + rank, key, id: product_id },
    };
    let mut categories: Vec<(String, u64)> = categories.into_iter().collect();
    categories.sort_by_key(|(_, count)| Reverse(*count));
    categories.truncate(100);
    let store = |(id, names): (StoreId, BTreeMap<String, u64>)| {
        let sum = names.values().sum();
        (id, names.into_iter().max_by_key(|(_, count)| *count).unwrap().0, sum)
    };
    let mut stores: Vec<(StoreId, String, u64)> = stores.into_iter().map(store).collect();
    stores.sort_by_key(|(_, _, count)| Reverse(*count));
    stores.truncate(100);
    Page {
        hits: hits.into_iter().zip(1..).map(hit).collect(),
        total,
        facets: Facets { categories, stores },
        is_partial,
    }
}

mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use proptest::sample::{Index as Any, select};

    use super::super::synthetic::Catalogue;
    use super::super::{Bytes, Change, ProductId};
    use super::*;

    const SORTS: [Sort; 5] =
        [Sort::Relevance, Sort::PriceAscending, Sort::PriceDescending, Sort::Newest, Sort::Rating];

    /// As many products as several windows have: all at once, and with deltas in which some were changed, some deleted,
    /// and a store was renamed.
    static SHOPS: LazyLock<[Shop; 2]> = LazyLock::new(|| {
        let catalogue = Catalogue::new(8);
        let named = |n: u64, name: &str| Document { name: name.into(), store: None, ..catalogue.product(n) };
        let names = [
            "Red Bull",
            "Redbull",
            "Cover for phone",
            "Phone with cover",
            "Cell phone black",
            "Herrenschuhe",
        ];
        let mut documents: Vec<Document> = catalogue.products(600).collect();
        documents.extend((600..).zip(names).map(|(n, name)| named(n, name)));
        let open = |documents: &[Document]| {
            Index::open(Bytes::new(Index::build(documents.iter().cloned()).unwrap()), &[]).unwrap()
        };
        let whole = Shop::of(open(&documents), &documents);
        let mut index = open(&documents);
        let mut truth: BTreeMap<ProductId, Document> =
            documents.into_iter().map(|document| (document.product_id, document)).collect();
        for (batch, step) in [(0, 7), (1, 5), (2, 11)] {
            let mut changes = Vec::new();
            for (nth, n) in (batch..660).step_by(step).enumerate() {
                let product_id = catalogue.product(n).product_id;
                let mut document = Document { product_id, ..catalogue.product(n + 1000 * batch) };
                document.store.as_mut().unwrap().name.push_str(" & Sons");
                changes.push(if nth % 3 > 0 { Change::Put(document) } else { Change::Delete(product_id) });
            }
            for change in &changes {
                match change {
                    Change::Put(document) => truth.insert(document.product_id, document.clone()),
                    Change::Delete(id) => truth.remove(id),
                };
            }
            index = index.with_delta(Bytes::new(index.apply(&changes).unwrap())).unwrap();
        }
        [whole, Shop::of(index, &truth.into_values().collect::<Vec<_>>())]
    });

    /// Words that products have, and some that they do not have so.
    fn words() -> impl Strategy<Value = String> {
        let of = |n: Any| &SHOPS[0].products[n.index(SHOPS[0].products.len())].document;
        let word = |text: &str, n: Any| -> String {
            let words: Vec<&str> = text.split_whitespace().collect();
            words[n.index(words.len())].to_owned()
        };
        let two = || (any::<Any>(), any::<Any>());
        let seldom = select(vec![
            "nowhere", "the", "redbull", "red bull", "phone", "cell", "schuhe", "cover", "500ml", "",
        ]);
        prop_oneof![
            6 => two().prop_map(move |(n, at)| word(&of(n).name, at)),
            3 => two().prop_map(move |(n, at)| word(&of(n).description, at)),
            1 => two().prop_map(move |(n, at)| word(&of(n).name, at).chars().take(3).collect()),
            1 => two().prop_map(move |(n, at)| word(&of(n).name, at).chars().rev().collect()),
            1 => two().prop_map(move |(n, at)| word(&of(n).name, at).replacen('e', "", 1)),
            1 => two().prop_map(move |(n, _)| of(n).category.clone()),
            1 => two().prop_map(move |(n, _)| of(n).sku.clone().unwrap()),
            1 => two().prop_map(move |(n, _)| of(n).sku.clone().unwrap().chars().take(5).collect()),
            2 => seldom.prop_map(str::to_owned),
        ]
    }

    fn query() -> impl Strategy<Value = Query> {
        let one = || any::<Any>().prop_map(|n| &SHOPS[0].products[n.index(600)].document);
        let text = proptest::collection::vec(words(), 0..5).prop_map(|words| words.join(" "));
        let prices = proptest::option::weighted(0.2, (0_u64..60_000, 0_u64..60_000));
        let filters = (
            proptest::option::weighted(0.2, one().prop_map(|one| one.category.clone())),
            proptest::option::weighted(0.1, one().prop_map(|one| one.store.as_ref().unwrap().id)),
            prices,
            proptest::bool::weighted(0.2),
            proptest::option::weighted(0.2, 0_u8..51),
        );
        let hidden = one().prop_map(|one| one.store.as_ref().unwrap().id);
        let hidden =
            prop_oneof![2 => Just(HashSet::new()), 1 => proptest::collection::hash_set(hidden, 1..20)];
        (text, filters, select(SORTS.to_vec()), 0_usize..25, hidden).prop_map(
            |(text, (category, store, prices, in_stock, min_rating), sort, limit, hidden_stores)| Query {
                text,
                category,
                store,
                min_price: prices.map(|(least, _)| least),
                max_price: prices.map(|(_, most)| most),
                in_stock,
                min_rating,
                sort,
                after: None,
                limit,
                hidden_stores,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn an_index_answers_as_if_it_went_through_all_products(mut query in query()) {
            for shop in &*SHOPS {
                for _ in 0..3 {
                    let page = shop.index.search(&query).unwrap();
                    prop_assert_eq!(&page, &shop.search(&query));
                    let Some(last) = page.hits.last() else { break };
                    query.after = Some(last.position);
                }
                query.after = None;
                let hidden = |id: StoreId| query.hidden_stores.contains(&id);
                let suggestions = shop.index.suggest(&query.text, query.limit, &hidden).unwrap();
                prop_assert_eq!(suggestions, shop.suggest(&query.text, query.limit, &query.hidden_stores));
            }
        }
    }

    #[test]
    fn words_of_which_some_are_in_no_product_are_asked_for_as_well() {
        let ask = |text: &str| Query { text: text.into(), limit: 5, ..Query::default() };
        let partial = ["black nowhere", "Red Bull nowhere mug", "nowhere black leather shoe"];
        for shop in &*SHOPS {
            assert!(shop.products.len() > 4 * 128, "there are several windows");
            for text in partial {
                let page = shop.search(&ask(text));
                assert!(page.is_partial && page.total > 0, "{text}");
                assert_eq!(shop.index.search(&ask(text)).unwrap(), page, "{text}");
            }
        }
    }
}
