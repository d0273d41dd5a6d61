//! Who has bought what of a new shop, and what they say of it in the language of the product.

use super::Person;

/// Somebody who reviews what they have bought.
pub(crate) struct Reviewer {
    pub person: Person,
    /// By which name they are read; by none where there is none.
    pub pen_name: Option<&'static str>,
    pub reviews: &'static [Review],
}

/// What somebody says of a product.
pub(crate) struct Review {
    /// Of which, by the name of its file.
    pub product: &'static str,
    pub stars: u8,
    pub title: &'static str,
    pub text: Option<&'static str>,
    /// What its seller says to it.
    pub reply: Option<&'static str>,
}

const fn review(product: &'static str, stars: u8, title: &'static str) -> Review {
    Review { product, stars, title, text: None, reply: None }
}

impl Review {
    const fn because(self, text: &'static str) -> Self {
        Self { text: Some(text), ..self }
    }

    const fn answered(self, reply: &'static str) -> Self {
        Self { reply: Some(reply), ..self }
    }
}

/// The reviewers. One person posts ten reviews a day at most.
pub(crate) const REVIEWERS: [Reviewer; 8] = [
    Reviewer {
        person: Person { full_name: "Marta Silva", email: "marta@cartwright.test" },
        pen_name: Some("Marta"),
        reviews: &[
            review("stoneware-mug", 5, "My morning mug")
                .because("Keeps tea warm until I have read my mail, and the handle fits four fingers."),
            review("canvas-shoes", 4, "Light, a little narrow")
                .because("Walked through the whole city in them. Take them half a size larger.")
                .answered("Thank you! From the next batch on there is a wider last, too."),
            review("rust-by-candlelight", 5, "Read in two nights")
                .because("The chapter on trying again is worth its price alone."),
            review("ciupaga", 4, "Frumos lucrată").because("Lemnul e neted și bine lustruit."),
        ],
    },
    Reviewer {
        person: Person { full_name: "Jonas Weber", email: "jonas@cartwright.test" },
        pen_name: Some("J. Weber"),
        reviews: &[
            review("muehle", 5, "Mahlt fein und gleichmäßig")
                .because("Das Mahlwerk lässt sich gut einstellen, und die Buche liegt warm in der Hand."),
            review("stoneware-mug", 2, "Arrived with a chip")
                .because("A nice mug, but mine had a chip at its foot.")
                .answered("We are sorry. Write to us, and a new one is on its way to you."),
            review("linen-throw", 4, "Softer after each wash"),
            review("creme-brulee-torch", 3, "Does what it should")
                .because("The flame is as small as promised.\nIt wants gas rather often."),
        ],
    },
    Reviewer {
        person: Person { full_name: "Jana Nováková", email: "jana@cartwright.test" },
        pen_name: None,
        reviews: &[
            review("micky", 5, "Skvělé na začátek")
                .because("Dobře padnou do ruky a neutíkají po zemi. Syn už zvládá tři."),
            review("muehle", 2, "Dreht sich schwer")
                .because("Ich musste sie zweimal zerlegen, bis sie fein mahlte.")
                .answered("Eine halbe Umdrehung der oberen Schraube nach links, dann läuft sie leicht."),
            review("stoneware-mug", 4, "A good size"),
            review("linen-throw", 5, "Worth its price").because("We sleep under it all summer."),
            review("matryoshka", 4, "Очень красивая")
                .because("Краски яркие. Самая маленькая кукла закрывается немного туго."),
        ],
    },
    Reviewer {
        person: Person { full_name: "Олена Коваль", email: "olena@cartwright.test" },
        pen_name: Some("Олена"),
        reviews: &[
            review("vyshyvanka", 5, "Справжня робота")
                .because("Вишивка рівна, льон м'який. Ношу на свята.")
                .answered("Дякуємо! Майстриня буде дуже рада."),
            review("matryoshka", 5, "Внучке понравилось").because("Открывает и закрывает целый день."),
            review("wool-scarf", 5, "Warm without scratching"),
            review("elaiolado", 5, "Μυρίζει φρέσκο χόρτο")
                .because("Το καλύτερο λάδι που έχω δοκιμάσει εδώ και χρόνια."),
        ],
    },
    Reviewer {
        person: Person { full_name: "ليلى حداد", email: "layla@cartwright.test" },
        pen_name: Some("ليلى"),
        reviews: &[
            review("finjan", 5, "جميل جدا").because("الرسم دقيق والفنجان خفيف. القهوة فيه أطيب."),
            review("daftar", 4, "کاغذ خوب").because("جوهر در آن پخش نشد و قلم روان بود."),
            review("cay-bardagi", 5, "Tam istediğim gibi").because("Bardaklar ince, tabaklar sağlam."),
            review("nerot", 4, "ריח נעים").because("בוערים לאט ובלי עשן."),
            review("pocket-atlas", 4, "Does fit the pocket")
                .because("The print is small: take your glasses."),
        ],
    },
    Reviewer {
        person: Person { full_name: "प्रिया शर्मा", email: "priya@cartwright.test" },
        pen_name: Some("प्रिया"),
        reviews: &[
            review("diya", 5, "बहुत सुंदर").because("दीवाली पर पूरे घर में जलाए। पीतल की चमक अच्छी है।"),
            review("finjan", 3, "أصغر مما توقعت").answered("شكرا لملاحظتك. سعته سبعون مليلترا."),
            review("rust-by-candlelight", 4, "Calm and funny").because("I would have liked an index."),
            review("kitenge", 5, "Rangi nzuri").because("Kitambaa ni kizito na rangi haitoki."),
            review("canvas-shoes", 1, "Came apart")
                .because("The sole came off after a month.")
                .answered("That must not happen. Send them back, please: we pay for the way."),
            review("cay-bardagi", 2, "Biri kırık geldi")
                .because("Altı bardaktan biri kırıktı.")
                .answered("Çok üzgünüz. Yenisini hemen gönderiyoruz."),
        ],
    },
    Reviewer {
        person: Person { full_name: "田中美咲", email: "misaki@cartwright.test" },
        pen_name: Some("みさき"),
        reviews: &[
            review("kokeshi", 5, "表情がやさしい").because("棚に飾っています。木の香りもします。"),
            review("origami", 4, "図が見やすい").because("むずかしい作品も、写真のおかげで折れました。"),
            review("chahu", 5, "出水流畅").because("壶身细腻，泡茶很香。"),
            review("buchae", 5, "가볍고 튼튼해요").because("바람이 시원하고 종이가 질깁니다."),
            review("rom", 4, "สวยมาก").because("สีสดและน้ำหนักเบา"),
        ],
    },
    Reviewer {
        person: Person { full_name: "Nguyễn Minh", email: "minh@cartwright.test" },
        pen_name: Some("Minh"),
        reviews: &[
            review("non-la", 5, "Nhẹ và mát").because("Đan khít, đội cả ngày không nóng."),
            review("chahu", 3, "比想象的小")
                .because("做工不错，但只够一个人喝。")
                .answered("谢谢您的意见。这把壶是两百毫升，适合一两个人。"),
            review("origami", 5, "子どもと一緒に").because("週末に毎回ひとつ折っています。"),
            review("pocket-atlas", 5, "Never without it"),
            review("kokeshi", 4, "小さいけれど、かわいい"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::{PRODUCTS, SELLERS};
    use super::*;

    fn all() -> impl Iterator<Item = &'static Review> {
        REVIEWERS.iter().flat_map(|reviewer| reviewer.reviews)
    }

    /// By the first letter that is none of English; `None` for what may be English.
    fn script(text: &str) -> Option<u32> {
        let letter = text.chars().find(|letter| letter.is_alphabetic() && u32::from(*letter) > 0x24f);
        // Scripts stand within blocks of 256 letters; those of Chinese, Japanese and Korean are many blocks.
        letter.map(u32::from).map(|letter| letter.min(0x3000) / 256)
    }

    #[test]
    fn reviews_are_spread_over_products_people_and_stars() {
        let mut of = BTreeMap::new();
        for review in all() {
            assert!(PRODUCTS.iter().any(|product| product.file == review.product), "{}", review.product);
            *of.entry(review.product).or_insert(0) += 1;
        }
        assert!((20..PRODUCTS.len()).contains(&of.len()), "{of:?}");
        assert!(of.values().filter(|reviews| **reviews > 1).count() >= 8, "{of:?}");
        assert_eq!(all().map(|review| review.stars).collect::<BTreeSet<_>>(), (1..=5).collect());
        assert!(all().filter(|review| review.reply.is_some()).count() >= 5);
        assert!(all().any(|review| review.text.is_none()));
        assert!(REVIEWERS.iter().any(|reviewer| reviewer.pen_name.is_none()));
    }

    #[test]
    fn nobody_reviews_a_product_twice_or_one_of_their_own_or_too_many_a_day() {
        for reviewer in &REVIEWERS {
            let products: BTreeSet<_> = reviewer.reviews.iter().map(|review| review.product).collect();
            assert_eq!(products.len(), reviewer.reviews.len(), "{}", reviewer.person.full_name);
            assert!((1..10).contains(&products.len()), "{}", reviewer.person.full_name);
        }
        let people: Vec<_> = REVIEWERS.iter().map(|reviewer| &reviewer.person).chain(&SELLERS).collect();
        let of =
            |what: fn(&Person) -> &str| people.iter().map(|one| what(one)).collect::<BTreeSet<_>>().len();
        assert_eq!((of(|one| one.full_name), of(|one| one.email)), (people.len(), people.len()));
        assert!(people.iter().all(|person| person.email.is_ascii()));
    }

    #[test]
    fn each_review_is_as_the_contract_has_it() {
        let fits =
            |text: Option<&str>, most| text.is_none_or(|text| (1..=most).contains(&text.chars().count()));
        for review in all() {
            assert!((1..=5).contains(&review.stars), "{}", review.title);
            assert!(fits(Some(review.title), 120), "{}", review.title);
            assert!(fits(review.text, 4000) && fits(review.reply, 2000), "{}", review.title);
        }
        assert!(REVIEWERS.iter().all(|reviewer| fits(reviewer.pen_name, 60)));
    }

    #[test]
    fn each_review_and_its_reply_are_in_the_script_of_the_product() {
        for review in all() {
            let product = PRODUCTS.iter().find(|product| product.file == review.product).unwrap();
            let expected = script(product.description);
            for text in [Some(review.title), review.text, review.reply].into_iter().flatten() {
                assert_eq!(script(text), expected, "{text}");
            }
        }
    }
}
