//! Toys: dolls of wood and of clay, and balls.

use super::canvas::{BLACK, Canvas, Ink, WHITE, block, disc, lathed, oval, steps};
use super::inks::*;

/// A ball of two leathers, around (50, 50).
fn ball(c: &mut Canvas, (one, other): (Ink, Ink)) {
    c.cover(disc(50.0, 50.0, 40.0), one, |c| {
        c.turn(24.0, (50.0, 50.0), |c| {
            c.fill(oval(50.0, 50.0, 15.0, 41.0), other);
            c.fill("M0 0 L18 0 Q34 50 18 100 L0 100 Z M100 0 L82 0 Q66 50 82 100 L100 100 Z", other);
            c.line("M18 0 Q34 50 18 100 M82 0 Q66 50 82 100", 1.0, BLACK.thin(0.35));
            c.line(oval(50.0, 50.0, 15.0, 41.0), 1.0, BLACK.thin(0.35));
        });
        c.fill(block(0.0, 0.0, 100.0, 100.0, 0.0), WHITE.thin(0.2).down(BLACK.thin(0.35)));
        c.glow(36.0, 30.0, 20.0, WHITE.thin(0.6));
    });
}

const BALLS: [(Ink, Ink); 3] = [(BRICK, CREAM), (TEAL, CREAM), (GOLD, CREAM)];

/// Three balls to juggle with.
pub(crate) fn balls(c: &mut Canvas) {
    for ((x, y), leathers) in [(31.0, 64.0), (69.0, 64.0), (50.0, 34.0)].into_iter().zip(BALLS) {
        if y > 50.0 {
            c.shadow(x, y + 19.0, 18.0);
        }
        c.put((x, y), 0.49, |c| ball(c, leathers));
    }
}

/// The same in the air.
pub(crate) fn balls_in_the_air(c: &mut Canvas) {
    for x in steps(17, 18.0, 4.0) {
        let rise = ((x - 50.0) / 34.0).powi(2);
        c.fill(disc(x, 20.0 + 50.0 * rise, 0.9), WALNUT.thin(0.55));
    }
    for ((x, y), leathers) in [(22.0, 58.0), (50.0, 24.0), (78.0, 58.0)].into_iter().zip(BALLS) {
        c.put((x, y), 0.34, |c| ball(c, leathers));
    }
    c.both(|c| {
        c.fill(
            "M62 80 C66 76 72 78 76 80 C82 82 86 78 89 76 C92 76 92 80 90 82 C84 90 78 92 70 91 \
                L62 112 L50 112 L56 90 Z",
            SKIN,
        );
        c.line("M72 84 Q80 87 86 82", 1.0, OAK.thin(0.7));
    });
}

/// A face around (50, 50), as painters of dolls make it.
fn face(c: &mut Canvas) {
    for x in [38.0, 62.0] {
        c.fill(oval(x, 46.0, 3.6, 5.0), NIGHT);
        c.fill(disc(x + 1.2, 44.2, 1.3), WHITE);
        c.put((x, 37.0), 1.0, |c| c.line("M44 51 Q50 46.5 56 51", 1.5, WALNUT));
        c.fill(disc(x + (x - 50.0) * 0.5, 58.0, 6.5), CORAL.thin(0.5));
    }
    c.line("M49 54 Q50 56 51.5 54", 1.4, OAK);
    c.fill("M42 62 Q46 59 50 61.5 Q54 59 58 62 Q50 70 42 62 Z", BRICK);
}

/// A flower with leaves on an apron, around (50, 50).
fn posy(c: &mut Canvas, petals: Ink) {
    c.fill(
        "M50 50 Q82 30 98 56 Q72 74 50 50 Z M50 50 Q18 30 2 56 Q28 74 50 50 Z M50 54 \
            Q64 80 50 100 Q36 80 50 54 Z",
        LEAF,
    );
    c.around_at(6, (50.0, 46.0), |c| c.fill(disc(50.0, 28.0, 14.0), petals));
    c.fill(disc(50.0, 46.0, 12.0), GOLD);
}

/// What a nesting doll looks like.
fn nesting(c: &mut Canvas, (shawl, dress, petals): (Ink, Ink, Ink)) {
    c.shadow(50.0, 87.0, 26.0);
    let body =
        lathed("M50 10 C63 10 70 19 70 30 C70 36 68 39 70 43 C77 49 80 58 79 68 C78 80 72 88 62 88 L50 88 Z");
    c.cover(body, dress.round(), |c| {
        c.fill("M10 0 L90 0 L90 40 Q84 60 50 62 Q16 60 10 40 Z", shawl.round());
        for (x, y) in steps(7, 23.0, 9.0).zip([50.0, 54.5, 57.3, 58.2, 57.3, 54.5, 50.0]) {
            c.fill(disc(x, y, 1.7), GOLD);
        }
        c.fill(oval(50.0, 72.0, 19.0, 21.0), CREAM.lit(0.2));
        c.put((50.0, 70.0), 0.34, |c| posy(c, petals));
        c.line("M18 88 L82 88", 5.0, dress.dim(0.35));
        c.line("M33 20 Q36 15 42 13", 2.2, WHITE.thin(0.4));
    });
    c.cover(disc(50.0, 30.0, 14.0), SKIN.lit(0.25), |c| {
        c.fill("M34 12 L66 12 L66 32 Q62 22 50 18 Q38 22 34 32 Z", OAK.dim(0.15));
        c.put((50.0, 31.5), 0.42, face);
    });
    c.fill("M50 45 Q58 42 61 48 Q55 52 50 47 Q45 52 39 48 Q42 42 50 45 Z", shawl.dim(0.25));
    c.fill(disc(50.0, 46.5, 2.2), GOLD);
}

const RED: (Ink, Ink, Ink) = (BRICK, BRICK, CORAL);
const YELLOW: (Ink, Ink, Ink) = (GOLD, TEAL, BRICK);
const VIOLET: (Ink, Ink, Ink) = (PLUM, INDIGO, CORAL);

/// A nesting doll.
pub(crate) fn doll(c: &mut Canvas) {
    nesting(c, (GOLD.dim(0.05), BRICK, BRICK));
}

/// Three that nest.
pub(crate) fn dolls(c: &mut Canvas) {
    c.put((66.0, 62.0), 0.62, |c| nesting(c, YELLOW));
    c.put((32.0, 50.0), 0.9, |c| nesting(c, RED));
    c.put((85.0, 70.5), 0.4, |c| nesting(c, VIOLET));
}

/// One that is open, and who was inside.
pub(crate) fn doll_open(c: &mut Canvas) {
    c.shadow(34.0, 86.0, 24.0);
    let lower = lathed("M50 50 L76 50 C80 58 80 64 79 70 C78 80 72 88 62 88 L50 88 Z").put(36.0, 48.0);
    c.cover(lower, VIOLET.0.round(), |c| {
        c.put((36.0, 72.0), 0.34, |c| posy(c, CORAL));
        c.fill(block(0.0, 82.0, 100.0, 10.0, 0.0), PLUM.dim(0.4));
    });
    c.fill(oval(36.0, 48.0, 26.0, 6.0), OAK.lit(0.3));
    c.fill(oval(36.0, 48.6, 23.0, 4.6), OAK.dim(0.35));
    c.within("M0 0 L100 0 L100 49 Q36 58 0 49 Z", |c| c.put((36.0, 38.0), 0.62, |c| nesting(c, RED)));
    c.turn(24.0, (72.0, 66.0), |c| {
        c.shadow(74.0, 88.0, 20.0);
        let upper = lathed("M50 10 C63 10 70 19 70 30 C70 36 68 39 70 43 L76 50 L50 50 Z").put(74.0, 88.0);
        c.fill(upper, VIOLET.0.lit(0.05).round());
        c.fill(oval(74.0, 88.0, 26.0, 4.4), OAK.lit(0.2));
        c.cover(disc(74.0, 68.0, 13.0), SKIN.lit(0.25), |c| {
            c.fill("M58 50 L90 50 L90 70 Q86 60 74 56 Q62 60 58 70 Z", NIGHT);
            c.put((74.0, 69.5), 0.4, face);
        });
    });
}

/// A dancing doll of Thanjavur, whose head nods.
pub(crate) fn dancer(c: &mut Canvas) {
    c.shadow(50.0, 88.0, 32.0);
    let skirt = lathed("M50 54 L58 54 C66 60 82 70 83 82 Q83 88 76 88 L50 88 Z");
    c.cover(skirt, CORAL.dim(0.1).round(), |c| {
        c.around_at(15, (50.0, 40.0), |c| c.line("M50 40 L50 100", 0.8, BRICK.thin(0.6)));
        for (y, ink) in [(76.0, GOLD), (80.5, PLUM), (85.0, GOLD)] {
            c.line(oval(50.0, y - 10.0, 46.0, 13.0), 2.2, ink);
        }
        c.fill("M50 52 L60 90 L40 90 Z", GOLD.dim(0.05).round());
        for y in steps(5, 63.0, 6.0) {
            c.fill(disc(50.0, y, 1.5), BRICK);
        }
    });
    c.line("M58 45 C70 50 78 40 73 31", 5.0, OAK.lit(0.12));
    c.line("M42 45 C30 48 26 58 38 58", 5.0, OAK.lit(0.12));
    c.fill(disc(73.0, 29.0, 3.4).and(disc(39.0, 58.0, 3.4)), OAK.lit(0.12));
    c.line("M70.5 34.5 L76 35.5", 2.0, GOLD);
    c.fill(lathed("M50 38 L58 41 C60 46 59 52 58 55 L50 55 Z"), TEAL.round());
    c.line("M44 41 Q50 50 56 41 M45.5 40 Q50 46 54.5 40", 1.1, GOLD);
    c.fill(block(41.0, 53.0, 18.0, 3.4, 1.2), GOLD.round());
    c.fill(block(47.0, 33.0, 6.0, 8.0, 1.0), OAK);
    c.fill(oval(50.0, 21.0, 15.0, 13.5), NIGHT);
    c.fill(disc(50.0, 10.0, 5.5), NIGHT);
    c.around_at(9, (50.0, 10.0), |c| c.fill(disc(50.0, 4.8, 1.6), WHITE));
    c.cover(oval(50.0, 25.0, 11.5, 12.5), OAK.lit(0.2), |c| {
        c.fill("M36 10 L64 10 L64 24 Q58 16 50 15 Q42 16 36 24 Z", NIGHT);
        c.put((50.0, 26.0), 0.38, face);
        c.fill(disc(50.0, 20.0, 1.1), BRICK);
    });
    c.line("M50 9 L50 16", 1.0, GOLD);
    c.fill(disc(37.6, 28.0, 2.2).and(disc(62.4, 28.0, 2.2)), GOLD);
}

/// A doll of Japan, turned from one piece of wood.
pub(crate) fn kokeshi(c: &mut Canvas) {
    c.shadow(50.0, 87.0, 22.0);
    let wood = CREAM.dim(0.03);
    c.cover(lathed("M50 46 L60 46 C67 50 67 58 66 66 L68 86 Q60 88.5 50 88.5 Z"), wood.round(), |c| {
        for (y, height, ink) in
            [(49.0, 1.6, BRICK), (52.0, 0.9, LEAF), (80.0, 1.2, BRICK), (82.6, 3.6, BRICK), (78.0, 0.8, LEAF)]
        {
            c.fill(block(20.0, y, 60.0, height, 0.0), ink);
        }
        for (x, y, size) in [(50.0, 61.0, 0.24), (41.0, 71.5, 0.16), (59.5, 71.5, 0.16)] {
            c.put((x, y), size, |c| {
                c.around(14, |c| c.fill(oval(50.0, 24.0, 4.6, 18.0), BRICK));
                c.fill(disc(50.0, 50.0, 8.0), GOLD);
            });
        }
        c.line("M36 64 Q40 60 38 56 M64 64 Q60 60 62 56", 1.3, LEAF);
    });
    c.cover(oval(50.0, 29.0, 20.0, 18.5), wood.lit(0.15).round(), |c| {
        c.fill("M28 8 L72 8 L72 34 C66 30 66 22 60 21 Q50 23 40 21 C34 22 34 30 28 34 Z", NIGHT);
        c.line("M50 8 L50 20", 5.0, NIGHT.lit(0.2));
        c.line("M40 31.5 Q43.5 29 47 31.5 M53 31.5 Q56.5 29 60 31.5", 1.5, NIGHT);
        c.line("M39 27 Q43 25 47 26.6 M53 26.6 Q57 25 61 27", 0.7, NIGHT);
        c.line("M49 31 Q47.5 36 50.5 36", 0.8, OAK.dim(0.2));
        c.fill("M47.6 40 Q50 38.4 52.4 40 Q50 42.4 47.6 40 Z", BRICK);
        c.fill(disc(38.5, 37.0, 3.0).and(disc(61.5, 37.0, 3.0)), CORAL.thin(0.4));
    });
    c.line("M36 17 Q42 12 50 13 M64 17 Q58 12 50 13", 2.2, BRICK);
    c.fill(disc(50.0, 12.5, 3.0), BRICK);
}
