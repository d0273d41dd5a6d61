//! What stands on a table: mugs, pots, bottles and glasses.

use super::canvas::{Canvas, Coat, Ink, WHITE, block, disc, ink, lathed, oval, steps};
use super::inks::*;

const COFFEE: Ink = ink(0x5a3420);
const TEA: Ink = ink(0xb5391b);
const OIL: Ink = ink(0xd8b02c);
const OLIVE: Ink = ink(0x6d7a2a);

/// What rises from something hot.
fn steam(c: &mut Canvas, x: f32, y: f32) {
    for wisp in steps(3, x - 8.0, 8.0) {
        c.put((wisp, y), 1.0, |c| c.line("M50 56 C45 52 55 48 50 44", 1.5, WHITE.thin(0.7)));
    }
}

/// A flame that stands on (50, 60).
pub(crate) fn flame(c: &mut Canvas) {
    c.glow(50.0, 46.0, 26.0, GOLD.lit(0.3).thin(0.7));
    c.fill(
        "M50 26 C52 36 60 42 60 51 C60 57 56 61 50 61 C44 61 40 57 40 51 C40 42 48 36 50 26 Z",
        CORAL.down(GOLD),
    );
    c.fill("M50 42 C51 47 55 50 55 54 C55 58 53 60 50 60 C47 60 45 58 45 54 C45 50 49 47 50 42 Z", CREAM);
}

/// A mug from the side.
pub(crate) fn mug(c: &mut Canvas, glaze: Ink) {
    c.shadow(48.0, 83.0, 30.0);
    c.line(oval(70.0, 52.0, 14.0, 15.0), 6.5, glaze.dim(0.18));
    let body = "M22 28 L74 28 L71 74 Q70 84 60 84 L36 84 Q26 84 25 74 Z";
    c.cover(body, glaze.round(), |c| {
        c.fill("M10 68 Q24 63 36 67 S58 71 68 67 S84 64 90 68 L90 90 L10 90 Z", SAND.dim(0.08).round());
        c.line("M10 68 Q24 63 36 67 S58 71 68 67 S84 64 90 68", 1.2, glaze.dim(0.3).thin(0.5));
        for (x, y) in [(34.0, 42.0), (45.0, 55.0), (58.0, 46.0), (63.0, 60.0), (39.0, 61.0), (52.0, 38.0)] {
            c.fill(disc(x, y, 0.7), glaze.dim(0.4));
        }
        c.line("M30 38 L32 58", 2.6, WHITE.thin(0.35));
    });
    c.fill(oval(48.0, 28.0, 26.0, 6.0), glaze.lit(0.3));
    c.fill(oval(48.0, 28.6, 23.0, 4.6), COFFEE.down(COFFEE.lit(0.18)));
    steam(c, 48.0, 16.0);
}

/// A mug of coffee from above, on its saucer.
pub(crate) fn mug_above(c: &mut Canvas, glaze: Ink) {
    c.glow(51.0, 55.0, 44.0, NIGHT.thin(0.6));
    c.fill(disc(50.0, 50.0, 36.0), SAND.lit(0.45));
    c.line(disc(50.0, 50.0, 32.0), 1.2, glaze.thin(0.7));
    c.glow(53.0, 54.0, 28.0, NIGHT.thin(0.4));
    c.line("M66 34 L77 23", 8.5, glaze.dim(0.2));
    c.fill(disc(50.0, 50.0, 24.0), glaze.lit(0.12));
    c.cover(disc(50.0, 50.0, 20.5), COFFEE, |c| {
        c.line(disc(50.0, 50.0, 20.0), 2.5, COFFEE.lit(0.3));
        let foam = "M50 62 C40 54 36 46 42 42 C46 39.5 49 42 50 45 C51 42 54 39.5 58 42 \
            C64 46 60 54 50 62 Z";
        c.fill(foam, CREAM.dim(0.06));
        c.line("M50 60 L50 38", 1.0, COFFEE.lit(0.35));
    });
}

/// A blowtorch for sugar, with its flame.
pub(crate) fn torch(c: &mut Canvas, body: Ink) {
    c.shadow(38.0, 85.0, 24.0);
    burner(c, body);
}

/// The torch, wherever it is held.
fn burner(c: &mut Canvas, body: Ink) {
    c.fill(block(19.0, 79.0, 38.0, 6.0, 2.5), NIGHT.round());
    c.cover(block(25.0, 44.0, 26.0, 36.0, 4.0), body.round(), |c| {
        c.fill(block(20.0, 58.0, 40.0, 12.0, 0.0), CREAM.round());
        c.put((38.0, 66.0), 0.22, flame);
    });
    c.fill("M28 45 L28 30 Q28 22 36 22 L52 22 Q56 22 56 27 L56 34 L48 36 L48 45 Z", NIGHT.lit(0.08).round());
    c.line("M54 40 Q58 42 55 48", 3.0, NIGHT.lit(0.2));
    c.fill(block(55.0, 23.5, 15.0, 9.5, 1.5), STEEL.down(STEEL.dim(0.35)));
    c.fill(disc(37.0, 19.5, 4.5), body.dim(0.2));
    c.glow(81.0, 28.0, 16.0, GOLD.thin(0.5));
    c.fill("M70 24 C80 20 88 24 93 28.5 C88 33 80 36 70 32.5 Z", Coat::Across([SKY, BLUE.lit(0.25), CORAL]));
    c.fill("M70 26 C76 24.5 80 26.5 83 28.4 C80 30.5 76 32 70 31 Z", WHITE.thin(0.85));
}

/// A crème brûlée under the flame of a torch.
pub(crate) fn creme_brulee(c: &mut Canvas, torch_ink: Ink) {
    c.shadow(50.0, 83.0, 34.0);
    c.cover("M16 62 L84 62 L79 80 Q78 84 72 84 L28 84 Q22 84 21 80 Z", CREAM.lit(0.4).round(), |c| {
        for x in steps(10, 19.0, 7.0) {
            c.line(block(x, 66.0, 0.1, 20.0, 0.0), 1.2, SAND.dim(0.12).thin(0.8));
        }
    });
    c.fill(oval(50.0, 62.0, 36.0, 9.5), CREAM.lit(0.6));
    c.cover(oval(50.0, 62.5, 32.0, 7.5), GOLD.down(BRASS), |c| {
        for (x, y, r) in [(36.0, 62.0, 8.0), (54.0, 65.0, 11.0), (66.0, 60.0, 7.0), (45.0, 58.0, 6.0)] {
            c.fill(oval(x, y, r, r * 0.32), WALNUT.thin(0.6));
        }
    });
    c.turn(118.0, (50.0, 50.0), |c| c.put((24.0, 50.0), 0.58, |c| burner(c, torch_ink)));
}

/// A pepper mill.
pub(crate) fn mill(c: &mut Canvas) {
    c.shadow(50.0, 86.0, 22.0);
    let body = "M50 44 L60 44 C58 52 59 57 63 63 C67 69 69 74 69 80 Q69 87 62 87 L50 87 Z";
    c.cover(lathed(body), OAK.round(), |c| {
        for (y, bend) in [(52.0, 1.0), (66.0, 1.5), (80.0, 2.0)] {
            c.line(oval(50.0, y - 6.0, 24.0, 6.0 + bend), 1.0, WALNUT.thin(0.45));
        }
        c.fill(block(20.0, 81.0, 60.0, 3.0, 0.0), WALNUT.thin(0.7));
    });
    c.fill(block(39.5, 39.0, 21.0, 6.0, 1.5), STEEL.round());
    c.fill(lathed("M50 17 C63 17 68 24 68 30 C68 36 63 40 58 40 L50 40 Z"), OAK.lit(0.08).round());
    c.line("M38 25 Q40 21 44 20", 2.2, WHITE.thin(0.5));
    c.fill(block(47.0, 13.0, 6.0, 5.0, 1.0), STEEL.dim(0.15).round());
    c.fill(disc(50.0, 11.5, 4.5), STEEL.round());
    for (x, y, r) in
        [(20.0, 86.0, 2.6), (26.5, 88.5, 2.2), (76.0, 87.5, 2.5), (82.0, 85.5, 2.0), (16.0, 90.0, 2.0)]
    {
        c.fill(disc(x, y, r), NIGHT.lit(0.12).round());
    }
}

/// A waisted glass of tea on its saucer.
pub(crate) fn tea_glass(c: &mut Canvas) {
    c.shadow(50.0, 84.0, 36.0);
    c.fill(oval(50.0, 81.0, 38.0, 8.0), WHITE.down(CREAM));
    c.line(oval(50.0, 80.6, 34.0, 6.4), 1.4, BRICK);
    c.fill(oval(50.0, 80.0, 20.0, 3.8), CREAM.dim(0.14));
    let glass = lathed("M50 16 L69 16 C68 30 60 38 60 48 C60 56 68 60 68 68 C68 76 60 80 50 80 Z");
    c.cover(glass, WHITE.thin(0.5), |c| {
        c.fill(block(20.0, 26.0, 60.0, 52.0, 0.0), TEA.lit(0.18).down(TEA.dim(0.25)));
        c.fill(oval(50.0, 26.0, 19.0, 3.4), TEA.lit(0.4));
        c.line("M35 20 C37 32 42 40 42 49 C42 56 36 62 36 69", 2.4, WHITE.thin(0.55));
        c.line("M65 66 Q64 74 58 76", 1.6, WHITE.thin(0.4));
        c.fill(block(20.0, 30.5, 60.0, 1.2, 0.0), GOLD.thin(0.8));
    });
    c.line(oval(50.0, 16.5, 19.0, 3.4), 1.3, GOLD.lit(0.25));
    c.line("M60 84 L87 77", 1.8, STEEL.dim(0.15));
    c.fill(oval(60.0, 84.0, 5.5, 2.2), STEEL);
    for (x, y) in [(20.0, 76.0), (27.0, 77.5)] {
        c.fill(block(x, y, 6.5, 6.0, 1.0), WHITE.round());
    }
}

/// Six glasses of tea around a slice of lemon, from above.
pub(crate) fn tea_tray(c: &mut Canvas) {
    c.glow(51.0, 54.0, 47.0, NIGHT.thin(0.6));
    c.fill(disc(50.0, 50.0, 40.0), BRASS.lit(0.25).down(BRASS.dim(0.12)));
    c.line(disc(50.0, 50.0, 37.0), 1.2, BRASS.dim(0.3));
    c.around(24, |c| c.line("M50 15.5 L48.5 18 L51.5 18 Z", 0.7, BRASS.dim(0.3)));
    c.around(6, |c| {
        c.glow(51.0, 29.5, 12.5, NIGHT.thin(0.4));
        c.fill(disc(50.0, 28.0, 10.2), WHITE);
        c.line(disc(50.0, 28.0, 8.4), 0.9, BRICK);
        c.fill(disc(50.0, 28.0, 6.2), TEA.down(TEA.dim(0.2)));
        c.line(disc(50.0, 28.0, 6.2), 1.0, GOLD.lit(0.3));
    });
    c.fill(disc(50.0, 50.0, 9.5), WHITE);
    c.fill(disc(50.0, 50.0, 8.0), GOLD);
    c.fill(disc(50.0, 50.0, 6.8), CREAM);
    c.around(8, |c| c.fill("M50 49 L47.8 44.4 Q50 43.2 52.2 44.4 Z", GOLD.lit(0.2)));
}

/// A twig of an olive tree around (50, 50).
fn olive_twig(c: &mut Canvas) {
    c.line("M30 58 Q50 54 70 38", 1.3, WALNUT);
    for (x, y, degrees) in [
        (38.0, 51.0, -60.0),
        (46.0, 60.0, 40.0),
        (51.0, 45.0, -65.0),
        (60.0, 53.0, 30.0),
        (62.0, 37.0, -70.0),
        (72.0, 38.0, -20.0),
    ] {
        c.turn(degrees, (x, y), |c| c.fill(oval(x, y, 7.5, 2.6), LEAF));
    }
    c.fill(oval(52.0, 62.0, 4.0, 5.0), OLIVE.dim(0.2).round());
    c.fill(oval(43.0, 65.5, 3.6, 4.6), OLIVE.round());
}

/// A bottle of olive oil.
pub(crate) fn oil(c: &mut Canvas) {
    c.shadow(50.0, 86.0, 22.0);
    let glass = lathed("M50 20 L56 20 L56 34 C56 42 69 44 69 54 L69 82 Q69 87 64 87 L50 87 Z");
    c.cover(glass, OLIVE.dim(0.3).round(), |c| {
        c.fill(block(20.0, 36.0, 60.0, 60.0, 0.0), OIL.thin(0.28));
        c.line("M36 54 L36 80", 2.4, WHITE.thin(0.35));
        c.fill(block(20.0, 56.0, 60.0, 24.0, 0.0), CREAM.round());
        c.fill(block(20.0, 57.2, 60.0, 0.8, 0.0), GOLD.dim(0.1));
        c.fill(block(20.0, 78.0, 60.0, 0.8, 0.0), GOLD.dim(0.1));
        c.put((50.0, 67.0), 0.5, olive_twig);
    });
    c.fill(block(43.0, 22.0, 14.0, 4.0, 1.0), GOLD.round());
    c.fill(block(44.5, 11.0, 11.0, 10.0, 2.0), OAK.round());
}

/// The same bottle beside olives in a bowl.
pub(crate) fn oil_and_olives(c: &mut Canvas) {
    c.put((34.0, 48.0), 0.94, oil);
    c.shadow(66.0, 85.0, 22.0);
    for (x, y) in [(52.0, 65.0), (60.0, 62.0), (69.0, 62.5), (78.0, 64.5), (64.0, 58.0), (73.0, 58.5)] {
        let ripe = if x > 62.0 { OLIVE } else { PLUM.dim(0.4) };
        c.fill(oval(x, y, 5.4, 4.6), ripe.round());
        c.fill(oval(x - 1.6, y - 1.6, 1.3, 0.9), WHITE.thin(0.6));
    }
    c.fill("M42 65 L90 65 C89 78 80 86 72 86 L60 86 C52 86 43 78 42 65 Z", TEAL.round());
    c.line("M45 71 Q66 75 87 71", 1.2, WHITE.thin(0.7));
}

/// A drinking horn, bound in silver.
pub(crate) fn horn(c: &mut Canvas) {
    c.shadow(50.0, 85.0, 28.0);
    let bound = STEEL.lit(0.2);
    c.line("M40 70 L34 84 M62 76 L66 84 M30 85 L70 85", 3.0, STEEL.dim(0.2));
    let horn = "M14 24 C12 56 32 80 60 80 C78 80 88 66 86 46 C80 60 70 64 62 61 C50 57 46 44 46 26 Z";
    c.cover(horn, Coat::Across([WALNUT.dim(0.35), WALNUT, SAND]), |c| {
        c.fill("M8 18 L52 18 L50 38 Q30 46 8 38 Z", bound.round());
        c.line("M12 33 Q30 41 50 33", 1.2, STEEL.dim(0.35));
        for (x, y) in [(19.0, 29.0), (26.0, 31.0), (33.0, 31.3), (40.0, 29.5)] {
            c.fill(disc(x, y, 1.6), BRICK);
        }
        c.fill("M76 50 L94 62 L94 40 L80 40 Z", bound.round());
        c.line("M50 60 L40 78", 3.4, bound);
        c.line("M20 48 C26 64 38 74 56 75", 2.2, WHITE.thin(0.25));
    });
    c.fill(disc(86.0, 43.0, 3.6), bound.round());
    c.fill(oval(30.0, 24.5, 16.5, 5.4), bound.lit(0.4));
    c.fill(oval(30.0, 25.0, 14.0, 4.0), PLUM.dim(0.3));
    c.line("M16 34 C4 66 30 92 47 70", 0.8, STEEL.dim(0.25));
}

/// A small cup without a handle, painted.
pub(crate) fn cup(c: &mut Canvas) {
    c.shadow(50.0, 85.0, 34.0);
    c.fill(oval(50.0, 82.0, 36.0, 7.0), TEAL.down(TEAL.dim(0.2)));
    c.fill(oval(50.0, 81.0, 32.0, 5.2), WHITE.down(CREAM));
    c.fill(block(42.0, 74.0, 16.0, 7.0, 2.0), CREAM.round());
    let body = lathed("M50 30 L79 30 C78 54 70 72 58 77 L50 77 Z");
    c.cover(body, WHITE.dim(0.02).round(), |c| {
        c.fill(block(10.0, 38.0, 80.0, 19.0, 0.0), TEAL.round());
        for x in steps(8, 20.0, 9.0) {
            c.put((x, 47.5), 0.3, |c| {
                c.around(4, |c| c.fill("M50 50 Q38 36 50 24 Q62 36 50 50 Z", GOLD.lit(0.3)));
                c.fill(disc(50.0, 50.0, 6.0), BRICK);
            });
            c.fill(disc(x + 4.5, 40.5, 0.9), WHITE);
            c.fill(disc(x + 4.5, 54.5, 0.9), WHITE);
        }
        c.fill(block(10.0, 36.4, 80.0, 1.4, 0.0), GOLD);
        c.fill(block(10.0, 57.4, 80.0, 1.4, 0.0), GOLD);
        c.line("M26 62 Q30 70 38 74", 1.8, STEEL.thin(0.5));
    });
    c.fill(oval(50.0, 30.0, 29.0, 6.4), WHITE);
    c.line(oval(50.0, 30.0, 28.4, 6.0), 1.2, GOLD);
    c.fill(oval(50.0, 31.0, 25.5, 4.6), COFFEE.down(COFFEE.lit(0.2)));
    steam(c, 50.0, 16.0);
}

/// A teapot of purple clay.
pub(crate) fn teapot(c: &mut Canvas) {
    let clay = CLAY;
    c.shadow(50.0, 82.0, 32.0);
    c.line("M72 42 C94 34 94 72 70 70", 5.5, clay.dim(0.18));
    c.fill("M32 52 C22 50 20 40 9 36 L16 31 C28 34 31 42 38 44 L36 70 C26 66 24 58 32 52 Z", clay.lit(0.1));
    let body = lathed("M50 37 C70 37 78 48 78 58 C78 72 68 82 60 82 L50 82 Z");
    c.cover(body, clay.round(), |c| {
        c.line("M34 70 Q52 66 60 50 M47 64 Q46 56 41 53 M54 58 Q62 58 66 54", 1.3, clay.dim(0.45));
        for (x, y) in [(41.0, 52.0), (60.0, 49.0), (67.0, 53.5), (53.0, 57.0)] {
            c.put((x, y), 0.12, |c| c.around(5, |c| c.fill(disc(50.0, 32.0, 15.0), ROSE.thin(0.8))));
        }
        c.line("M28 50 Q32 43 40 41", 2.2, WHITE.thin(0.3));
    });
    c.fill(block(36.0, 80.0, 28.0, 4.0, 1.5), clay.dim(0.25).round());
    c.fill(lathed("M50 29 C62 29 67 34 68 38.5 Q60 41 50 41 Z"), clay.lit(0.06).round());
    c.line("M32.5 39 Q50 43 67.5 39", 1.0, clay.dim(0.4));
    c.fill(block(48.0, 25.5, 4.0, 5.0, 1.0), clay.dim(0.1).round());
    c.fill(oval(50.0, 23.5, 5.5, 4.2), clay.lit(0.1).round());
}

/// The teapot with two cups on a tray of bamboo.
pub(crate) fn tea_set(c: &mut Canvas) {
    c.shadow(50.0, 88.0, 40.0);
    c.cover("M16 70 L84 70 L92 84 L8 84 Z", SAND.down(SAND.dim(0.12)), |c| {
        for x in steps(11, 10.0, 8.0) {
            c.line(block(x, 68.0, 0.1, 20.0, 0.0), 0.9, OAK.thin(0.8));
        }
    });
    c.fill(block(8.0, 84.0, 84.0, 5.0, 2.0), OAK.round());
    c.put((46.0, 42.0), 0.72, teapot);
    for x in [66.0, 82.0] {
        c.shadow(x, 81.0, 6.5);
        c.fill(lathed("M50 44 L58 44 C58 52 55 56 53 57 L50 57 Z").put(x, 74.0), CLAY.lit(0.1).round());
        c.fill(oval(x, 68.0, 8.0, 2.2), CLAY.lit(0.3));
        c.fill(oval(x, 68.3, 6.6, 1.5), OIL);
    }
}

/// A coffee pot of black clay with a long neck, and a cup.
pub(crate) fn jebena(c: &mut Canvas) {
    let clay = ink(0x3a2e2c);
    c.shadow(48.0, 86.0, 28.0);
    c.line("M54 26 C80 24 82 54 66 62", 5.0, clay.lit(0.08));
    c.fill("M34 60 C28 50 26 44 19 40 L24 35 C33 38 38 44 43 50 Z", clay.lit(0.12));
    let body =
        lathed("M50 18 L56 18 L55 24 C55 36 56 42 60 46 C70 50 75 58 75 66 C75 78 66 86 56 86 L50 86 Z");
    c.cover(body.put(47.0, 50.0), clay.round(), |c| {
        c.line("M24 60 Q47 68 72 60 M23 64 Q47 72 73 64", 1.0, SAND.thin(0.75));
        for x in steps(9, 25.0, 5.6) {
            c.line(oval(x, 69.0 + (x - 47.0).powi(2) * -0.006, 0.6, 0.6), 1.2, SAND.thin(0.75));
        }
        c.line("M31 62 Q30 70 34 76", 2.2, WHITE.thin(0.25));
    });
    c.fill(lathed("M50 10 L54 13 L57 19 Q50 21 50 21 Z").put(47.0, 50.0), SAND.round());
    c.fill(oval(47.0, 86.5, 19.0, 3.4), SAND.dim(0.15).round());
    c.line("M29 86 Q47 91 65 86", 1.2, BRICK);
    c.shadow(79.0, 87.0, 9.0);
    c.fill(lathed("M50 40 L61 40 C61 52 56 58 54 59 L50 59 Z").put(79.0, 78.0), WHITE.round());
    c.line("M69 73 Q79 76 89 73", 1.2, BRICK);
    c.fill(oval(79.0, 68.0, 11.0, 3.0), CREAM);
    c.fill(oval(79.0, 68.4, 9.4, 2.2), COFFEE);
}
