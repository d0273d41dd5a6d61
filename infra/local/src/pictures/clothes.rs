//! What one puts on, and what it is made of.

use super::canvas::{BLACK, Canvas, Coat, Ink, WHITE, between, block, disc, oval, steps};
use super::home::{checks, fringe};
use super::inks::*;

const RUBBER: Ink = CREAM;

/// A canvas shoe from the side.
pub(crate) fn shoe(c: &mut Canvas, canvas: Ink) {
    c.shadow(50.0, 78.0, 38.0);
    c.fill("M46 44 L52 25 Q57 20 63 25 L62 44 Z", canvas.dim(0.22));
    let upper = "M13 70 C9 58 20 53 31 50 C42 47 47 39 51 32 C53 29 56 28 59 31 \
        C66 37 75 36 80 31 C83 29 87 31 87 35 C87 48 91 58 88 70 Z";
    c.cover(upper, canvas.lit(0.08).down(canvas.dim(0.14)), |c| {
        c.fill(oval(17.0, 72.0, 17.0, 17.0), RUBBER.down(RUBBER.dim(0.1)));
        c.line(oval(17.0, 72.0, 17.0, 17.0), 0.9, canvas.dim(0.35));
        c.fill("M81 26 L96 26 L96 72 L84 72 Q86 50 81 26 Z", canvas.dim(0.25));
        c.line("M36 66 Q50 62 57 33", 0.8, WHITE.thin(0.65));
        c.line("M62 36 Q72 41 82 36", 0.8, WHITE.thin(0.65));
        c.fill(disc(68.0, 53.0, 6.5), RUBBER);
        c.put((68.0, 53.0), 0.11, |c| c.around(5, |c| c.fill("M50 50 L36 40 L50 4 L64 40 Z", canvas)));
    });
    for (x, y) in [(37.0, 49.0), (41.5, 45.5), (45.5, 41.0), (49.0, 36.0)] {
        c.put((x, y), 1.0, |c| c.line("M48 48 L57 54.5", 2.0, WHITE));
        c.fill(disc(x + 7.2, y + 4.8, 0.9), STEEL.dim(0.4));
    }
    c.line("M50 33 C44 26 39 30 42 34 M51 33 C52 25 60 24 58 30", 1.5, WHITE);
    c.fill(
        "M11 67 L89 67 C91 74 90 79 85 79 L17 79 C11 79 9 73 11 67 Z",
        RUBBER.lit(0.5).down(RUBBER.dim(0.08)),
    );
    c.line("M12.5 71 L88.5 71", 1.3, canvas);
    c.line("M14 77.6 L87 77.6", 1.6, OAK.thin(0.7));
}

/// The outline of a right sole.
const SOLE: &str = "M66 13 C77 13 79 28 77 41 C76 51 79 60 78 71 C77 82 72 87 66 87 \
    C59 87 55 82 55 71 C55 61 57 52 55 41 C53 27 55 13 66 13 Z";

/// A pair of shoes from above.
pub(crate) fn shoes_above(c: &mut Canvas, canvas: Ink) {
    c.both(|c| {
        c.fill(oval(67.5, 53.0, 15.0, 42.0), Coat::Glow(BLACK.thin(0.5)));
        c.fill(SOLE, RUBBER.lit(0.4));
        let upper = "M66 16 C74 16 76 28 74.5 41 C73.5 51 76 60 75 71 C74.5 80 71 84.5 66 84.5 \
            C61 84.5 58 80 58 71 C58 61 59.5 52 58 41 C56 27 58 16 66 16 Z";
        c.cover(upper, canvas.round(), |c| {
            c.fill(oval(66.0, 17.0, 12.0, 13.0), RUBBER);
            c.line(oval(66.0, 17.0, 12.0, 13.0), 0.8, canvas.dim(0.3));
            c.fill(block(64.0, 76.0, 4.0, 10.0, 0.0), canvas.dim(0.35));
        });
        c.fill(oval(66.5, 67.0, 6.8, 12.0), canvas.dim(0.5));
        c.fill(oval(66.5, 68.5, 5.6, 10.0), SAND);
        c.fill("M62 36 L71 36 L71.5 57 Q66.5 61 61.5 57 Z", canvas.dim(0.16));
        for y in steps(5, 37.5, 4.4) {
            c.put((66.5, y), 1.0, |c| c.line("M44.8 50 L55.2 52.2 M55.2 50 L44.8 52.2", 1.3, WHITE));
        }
        c.line("M66.5 58 C58 52 58 62 66 59 C75 52 76 62 67 59", 1.3, WHITE);
    });
}

/// The soles of a pair.
pub(crate) fn soles(c: &mut Canvas, canvas: Ink) {
    c.both(|c| {
        c.fill(oval(67.5, 53.0, 15.0, 42.0), Coat::Glow(BLACK.thin(0.5)));
        c.cover(SOLE, OAK.lit(0.25).round(), |c| {
            for y in steps(20, 16.0, 3.8) {
                c.put((66.0, y), 1.0, |c| {
                    c.line("M37 52 L42 48 L47 52 L52 48 L57 52 L62 48", 1.1, WALNUT.thin(0.55));
                });
            }
            c.fill(oval(66.5, 52.0, 8.0, 6.0), canvas);
            c.put((66.5, 52.0), 0.09, |c| c.around(5, |c| c.fill("M50 50 L36 40 L50 4 L64 40 Z", RUBBER)));
        });
        c.line(SOLE, 1.4, canvas);
    });
}

/// A chequered scarf, wound once.
pub(crate) fn scarf(c: &mut Canvas, wool: Ink) {
    c.glow(52.0, 56.0, 42.0, BLACK.thin(0.26));
    let plaid = |c: &mut Canvas, shape: &str, shade: f32, degrees: f32| {
        c.cover(shape, wool.lit(0.1).down(wool.dim(shade)), |c| {
            c.turn(degrees, (50.0, 50.0), |c| {
                checks(c, 11.0, CREAM.dim(0.05));
                checks(c, 5.5, wool.dim(0.4));
            });
        });
    };
    c.fill("M26 32 C32 20 68 20 74 32 L70 42 C62 34 38 34 30 42 Z", wool.dim(0.42));
    c.turn(9.0, (40.0, 50.0), |c| {
        fringe(c, (34.0, 53.0), 86.0, wool.dim(0.1));
        plaid(c, "M35 44 L54 44 L53 87 L33 87 Z", 0.2, 0.0);
    });
    c.turn(-12.0, (58.0, 50.0), |c| {
        fringe(c, (50.0, 68.0), 78.0, wool.dim(0.05));
        plaid(c, "M50 44 L68 42 L69 79 L49 79 Z", 0.12, 0.0);
    });
    plaid(
        c,
        "M22 30 C16 44 28 60 50 61 C72 60 84 44 78 30 C77 24 72 24 72 30 C70 40 60 45 50 45 \
            C40 45 30 40 28 30 C28 24 23 24 22 30 Z",
        0.1,
        40.0,
    );
    c.line("M27 38 C32 48 42 52 50 52 C58 52 68 48 73 38", 0.9, BLACK.thin(0.2));
    plaid(c, "M44 43 Q54 39 61 45 L62 60 Q53 66 44 60 Z", 0.16, -20.0);
    c.line("M46 46 Q48 54 46 60", 0.9, BLACK.thin(0.25));
}

/// A hat of palm leaf.
pub(crate) fn leaf_hat(c: &mut Canvas) {
    c.shadow(50.0, 84.0, 38.0);
    c.line("M26 66 C24 96 76 96 74 66", 3.6, CORAL);
    c.fill(oval(50.0, 66.0, 40.0, 9.0), OAK.dim(0.25));
    let cone = "M50 16 Q52 16 54 19 L90 65 Q91 68 86 69.5 C64 77 36 77 14 69.5 Q9 68 10 65 \
        L46 19 Q48 16 50 16 Z";
    c.cover(cone, SAND.lit(0.1).round(), |c| {
        for x in steps(17, 2.0, 6.0) {
            c.line(between((50.0, 14.0), (x, 82.0)), 0.5, OAK.thin(0.5));
        }
        for y in steps(8, 4.0, 8.0) {
            c.line(oval(50.0, y, 12.0 + y * 0.62, 10.0 + y * 0.16), 0.8, OAK.thin(0.65));
        }
        c.fill("M50 14 L18 80 L2 70 Z", WHITE.thin(0.16));
    });
    c.line("M11 67 C32 78 68 78 89 67", 1.8, OAK.lit(0.15));
}

/// Cross-stitch: a row of stars downwards from a point.
fn cross_stitch(c: &mut Canvas, (x, top): (f32, f32), count: u8, size: f32) {
    for y in steps(count, top, size) {
        c.put((x, y), size / 100.0, |c| {
            c.around(4, |c| c.fill("M50 48 L34 32 L50 10 L66 32 Z", BRICK));
            c.fill("M50 40 L60 50 L50 60 L40 50 Z", CREAM);
            c.around(4, |c| c.fill("M14 0 L28 14 L14 28 L0 14 Z", NIGHT));
        });
    }
}

/// An embroidered shirt of linen.
pub(crate) fn shirt(c: &mut Canvas) {
    let linen = WHITE.dim(0.03);
    c.glow(52.0, 56.0, 46.0, BLACK.thin(0.26));
    c.both(|c| {
        c.cover("M65 20 L78 28 L91 64 Q92 70 86 71 L78 72 L66 44 Z", linen.down(linen.dim(0.1)), |c| {
            c.turn(-20.0, (76.0, 50.0), |c| {
                cross_stitch(c, (76.5, 36.0), 5, 7.5);
                c.fill(block(60.0, 67.0, 40.0, 2.0, 0.0), BRICK);
            });
        });
    });
    let body = "M40 17 Q50 22 60 17 L70 22 L71 50 L74 86 Q50 90 26 86 L29 50 L30 22 Z";
    c.cover(body, linen.round(), |c| {
        c.line("M70 26 Q68 50 72 86 M30 26 Q32 50 28 86", 0.8, STEEL.thin(0.6));
        for (x, y) in [(41.5, 30.0), (58.5, 30.0)] {
            cross_stitch(c, (x, y), 5, 8.0);
        }
        for x in [36.6, 46.4, 53.6, 63.4] {
            c.fill(block(x - 0.4, 22.0, 0.8, 46.0, 0.0), NIGHT);
        }
        c.line("M50 22 L50 52", 1.0, STEEL.dim(0.2));
        for x in steps(9, 24.0, 6.5) {
            cross_stitch(c, (x, 80.0), 1, 6.5);
        }
        c.fill(block(20.0, 75.4, 60.0, 0.8, 0.0).and(block(20.0, 84.0, 60.0, 0.8, 0.0)), NIGHT);
    });
    c.fill("M40 17 Q50 23 60 17 L57 15 Q50 18 43 15 Z", linen.dim(0.2));
    c.line("M40 17.5 Q50 26 60 17.5", 2.8, BRICK);
    c.line("M49 25 Q46 34 44 38 M51 25 Q53 35 56 39", 0.9, BRICK);
    c.fill(disc(44.0, 38.5, 1.6).and(disc(56.0, 39.5, 1.6)), BRICK);
}

/// A sprig as weavers of Jamdani make it, around (50, 50).
fn sprig(c: &mut Canvas, ink: Ink) {
    c.fill("M50 20 C68 26 74 46 62 60 C54 69 40 64 40 54 C40 46 50 44 53 50 C58 40 54 30 50 20 Z", ink);
    c.line("M46 60 Q38 70 30 70 M52 66 Q50 76 54 84", 3.0, ink);
    c.fill(disc(30.0, 60.0, 4.0).and(disc(66.0, 74.0, 4.0)), ink);
}

/// A star of gold on its border.
fn star(c: &mut Canvas, middle: (f32, f32), size: f32) {
    c.put(middle, size, |c| c.around(4, |c| c.fill("M50 48 L34 30 L50 4 L66 30 Z", GOLD)));
}

/// The shade of a pleat in what hangs.
fn pleat(c: &mut Canvas, x: f32) {
    let shade = Coat::Across([BLACK.thin(0.0), BLACK.thin(0.09), BLACK.thin(0.27)]);
    c.put((x, 50.0), 1.0, |c| c.fill("M50 0 L58 0 L60 96 L50 96 Z", shade));
}

/// A sari, folded.
pub(crate) fn sari_folded(c: &mut Canvas, silk: Ink) {
    c.shadow(50.0, 83.0, 40.0);
    for (y, shade) in [(74.0, 0.3), (69.0, 0.16), (64.0, 0.24)] {
        c.fill(block(14.0, y, 72.0, 10.0, 4.0), silk.dim(shade));
        c.fill(block(14.0, y + 6.0, 72.0, 1.6, 0.0), GOLD);
    }
    c.cover(block(14.0, 24.0, 72.0, 46.0, 3.0), silk.lit(0.08).down(silk.dim(0.06)), |c| {
        for (row, y) in steps(3, 31.0, 11.0).enumerate() {
            for x in steps(8, if row.is_multiple_of(2) { 20.0 } else { 14.0 }, 12.0) {
                c.put((x, y), 0.12, |c| sprig(c, GOLD.lit(0.25)));
            }
        }
        c.fill(block(0.0, 57.0, 100.0, 13.0, 0.0), BRICK.dim(0.15));
        c.fill(block(0.0, 56.6, 100.0, 1.2, 0.0).and(block(0.0, 67.8, 100.0, 1.2, 0.0)), GOLD);
        for x in steps(10, 18.0, 8.0) {
            star(c, (x, 62.8), 0.1);
        }
        c.fill("M66 20 L90 20 L90 74 L66 74 Q62 46 66 20 Z", BLACK.thin(0.1));
    });
}

/// The same sari, hung in folds.
pub(crate) fn sari_hung(c: &mut Canvas, silk: Ink) {
    c.glow(54.0, 56.0, 46.0, BLACK.thin(0.26));
    let cloth = "M24 16 L76 16 L80 80 Q72 86 66 81 Q58 87 50 82 Q42 88 34 82 Q26 87 20 81 Z";
    c.cover(cloth, silk.lit(0.06).down(silk.dim(0.1)), |c| {
        for (row, y) in steps(5, 24.0, 9.5).enumerate() {
            for x in steps(7, if row.is_multiple_of(2) { 24.0 } else { 18.5 }, 11.0) {
                c.put((x, y), 0.11, |c| sprig(c, GOLD.lit(0.3)));
            }
        }
        c.fill(block(0.0, 68.0, 100.0, 30.0, 0.0), BRICK.dim(0.12));
        c.fill(block(0.0, 67.5, 100.0, 1.4, 0.0).and(block(0.0, 78.5, 100.0, 1.4, 0.0)), GOLD);
        for x in steps(9, 18.0, 8.0) {
            star(c, (x, 73.5), 0.09);
        }
        for x in steps(5, 20.0, 14.0) {
            pleat(c, x);
        }
    });
    c.fill(block(14.0, 12.0, 72.0, 5.0, 2.5), BRASS.lit(0.2).down(BRASS.dim(0.25)));
    c.fill(disc(14.0, 14.5, 4.0).and(disc(86.0, 14.5, 4.0)), BRASS.round());
}

/// An umbrella of paper, open.
pub(crate) fn umbrella(c: &mut Canvas, paper: Ink) {
    c.shadow(50.0, 90.0, 20.0);
    c.turn(14.0, (50.0, 50.0), |c| {
        c.line("M50 44 L50 82 C50 92 62 92 62 83", 3.2, WALNUT);
        c.fill(oval(50.0, 50.0, 38.0, 6.0), paper.dim(0.45));
        for x in [22.0, 36.0, 64.0, 78.0] {
            c.line(between((50.0, 68.0), (x, 48.0)), 0.9, OAK);
        }
        let canopy = "M11 52 C11 28 32 12 50 12 C68 12 89 28 89 52 Q81 48 74 51 Q66 46 58 51 \
            Q50 47 42 51 Q34 46 26 51 Q19 48 11 52 Z";
        c.cover(canopy, paper.lit(0.1).round(), |c| {
            c.fill("M50 12 C38 20 28 34 26 51 L42 51 C43 34 46 20 50 12 Z", WHITE.thin(0.2));
            c.fill("M50 12 C62 20 72 34 74 51 L58 51 C57 34 54 20 50 12 Z", BLACK.thin(0.08));
            for (x, y, size) in [
                (34.0, 34.0, 0.17),
                (63.0, 31.0, 0.2),
                (50.0, 41.0, 0.13),
                (76.0, 43.0, 0.13),
                (21.0, 44.0, 0.1),
            ] {
                c.put((x, y), size, blossom);
            }
        });
        c.line(canopy, 0.9, paper.dim(0.3));
        c.fill(block(48.5, 6.0, 3.0, 8.0, 1.2), WALNUT);
    });
}

/// A painted blossom with two leaves, around (50, 50).
fn blossom(c: &mut Canvas) {
    c.fill("M50 50 Q84 40 96 62 Q70 72 50 50 Z M50 50 Q10 44 6 66 Q34 74 50 50 Z", MOSS);
    c.around(6, |c| c.fill(oval(50.0, 30.0, 12.0, 19.0), CREAM));
    c.fill(disc(50.0, 50.0, 11.0), GOLD);
}

/// The umbrella from above.
pub(crate) fn umbrella_above(c: &mut Canvas, paper: Ink) {
    c.glow(51.0, 54.0, 47.0, BLACK.thin(0.4));
    for (nth, degrees) in steps(16, 0.0, 22.5).enumerate() {
        let shade = if nth.is_multiple_of(2) { paper.lit(0.1) } else { paper.dim(0.08) };
        c.turn(degrees, (50.0, 50.0), |c| c.fill("M50 50 L42.1 10.3 Q50 13 57.9 10.3 Z", shade));
    }
    c.line(disc(50.0, 50.0, 15.0), 1.2, CREAM.thin(0.8));
    c.around(8, |c| c.put((50.0, 24.0), 0.17, blossom));
    c.around(16, |c| c.line("M50 50 L57.9 10.3", 0.6, WALNUT.thin(0.6)));
    c.fill(disc(50.0, 50.0, 5.0), NIGHT.lit(0.1));
    c.fill(disc(50.0, 50.0, 2.4), GOLD);
}

/// The print of a Kitenge all over.
fn print(c: &mut Canvas, (ground, sun, leaf): (Ink, Ink, Ink)) {
    c.fill(block(0.0, 0.0, 100.0, 100.0, 0.0), ground);
    for (row, y) in steps(7, 2.0, 17.0).enumerate() {
        for x in steps(7, if row.is_multiple_of(2) { 0.0 } else { -9.5 }, 19.0) {
            c.put((x, y), 0.15, |c| {
                c.around(12, |c| c.fill("M50 50 L42 0 L58 0 Z", sun));
                c.fill(disc(50.0, 50.0, 34.0), leaf);
                c.fill(disc(50.0, 50.0, 24.0), CREAM);
                c.fill(disc(50.0, 50.0, 15.0), ground);
            });
            c.put((x + 9.5, y), 0.05, |c| c.fill("M50 0 L100 50 L50 100 L0 50 Z", CREAM));
        }
    }
}

const SUNNY: (Ink, Ink, Ink) = (TEAL, GOLD, CORAL);
const EARTHY: (Ink, Ink, Ink) = (BRICK, GOLD, INDIGO);

/// Cloth of that print, folded into a pile.
pub(crate) fn cloth_folded(c: &mut Canvas) {
    c.shadow(50.0, 83.0, 38.0);
    for (y, colours) in [(60.0, EARTHY), (38.0, SUNNY), (16.0, (INDIGO, CORAL, GOLD))] {
        c.cover(block(15.0, y, 70.0, 24.0, 9.0), TEAL, |c| {
            print(c, colours);
            c.fill(block(0.0, y, 100.0, 24.0, 0.0), WHITE.thin(0.14).down(BLACK.thin(0.4)));
            c.fill(block(15.0, y + 11.5, 60.0, 1.0, 0.5), BLACK.thin(0.4));
        });
    }
}

/// A length of it on a line.
pub(crate) fn cloth_hung(c: &mut Canvas) {
    c.glow(54.0, 56.0, 44.0, BLACK.thin(0.25));
    c.line("M-10 16 Q50 24 110 16", 0.9, NIGHT);
    let cloth = "M20 19 Q50 23 80 19 Q77 50 81 82 Q70 88 60 83 Q48 88 38 83 Q28 88 19 82 Q23 50 20 19 Z";
    c.cover(cloth, TEAL, |c| {
        print(c, SUNNY);
        for x in [24.0, 42.0, 62.0] {
            pleat(c, x);
        }
    });
    for x in [24.0, 50.0, 76.0] {
        c.fill(block(x - 1.6, 14.0, 3.2, 10.0, 1.0), OAK.round());
    }
}

/// A bolt of it.
pub(crate) fn cloth_bolt(c: &mut Canvas) {
    c.shadow(50.0, 86.0, 36.0);
    c.cover("M40 30 L84 56 L84 86 L30 86 L22 60 Z", TEAL, |c| {
        print(c, EARTHY);
        c.fill(block(0.0, 20.0, 100.0, 80.0, 0.0), BLACK.thin(0.45).down(BLACK.thin(0.0)));
    });
    c.turn(-14.0, (50.0, 50.0), |c| {
        c.cover(block(16.0, 28.0, 62.0, 34.0, 6.0), TEAL, |c| {
            print(c, EARTHY);
            c.fill(block(0.0, 28.0, 100.0, 34.0, 0.0), WHITE.thin(0.2).down(BLACK.thin(0.4)));
        });
        c.fill(oval(78.0, 45.0, 8.0, 17.0), BRICK.dim(0.3));
        for across in [6.6, 4.6] {
            c.line(oval(78.0, 45.0, across, across * 2.1), 0.9, GOLD);
        }
        c.fill(oval(78.0, 45.0, 3.0, 6.4), OAK.lit(0.2));
    });
}

/// A dress that is made of it.
pub(crate) fn dress(c: &mut Canvas) {
    c.glow(52.0, 56.0, 44.0, BLACK.thin(0.24));
    c.line("M50 16 Q50 9 54 10 M28 26 L50 17 L72 26", 1.8, WALNUT);
    let cut = "M38 22 L43 20 Q50 32 57 20 L62 22 Q66 34 64 48 L82 84 Q50 94 18 84 L36 48 Q34 34 38 22 Z";
    c.cover(cut, TEAL, |c| {
        c.put((50.0, 50.0), 1.1, |c| print(c, (INDIGO, GOLD, CORAL)));
        for (waist, hem) in [(40.0, 32.0), (50.0, 51.0), (59.0, 69.0)] {
            c.line(between((waist, 50.0), (hem, 96.0)), 2.0, BLACK.thin(0.16));
        }
    });
    c.fill("M35 46 L65 46 L66 51 L34 51 Z", GOLD.round());
}

/// A square of it, and the print from near.
pub(crate) fn swatch(c: &mut Canvas) {
    c.glow(52.0, 54.0, 50.0, BLACK.thin(0.3));
    c.turn(-6.0, (50.0, 50.0), |c| {
        c.within(block(16.0, 16.0, 68.0, 68.0, 1.0), |c| c.put((50.0, 52.0), 1.9, |c| print(c, SUNNY)));
        c.fill("M84 58 L84 84 L58 84 Z", CREAM.dim(0.1));
        c.fill("M84 58 Q66 62 58 84 Q62 66 84 58 Z M60 60 L84 58 L58 84 Z", TEAL.lit(0.55));
    });
}
