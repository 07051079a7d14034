/* By the keyboard alone, without motion, and with a server that has nothing to say. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { closeBrowser, drawn, everySection, LONG, openPage, SHORT, stateIs } from './support.mjs';

after(closeBrowser);

/** Press Tab until the focus is on what the selector names; how often it took. */
async function tabTo(page, selector, most = 200) {
    for (let times = 1; times <= most; times++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((wanted) => !!document.activeElement?.matches(wanted), selector)) return times;
    }
    assert.fail(`Tab does not reach ${selector}`);
}

test('everything_can_be_done_by_the_keyboard_alone', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await drawn(page, 2);
    await page.keyboard.press('Space');
    await stateIs(page, 'paused');
    await everySection(page);

    await page.evaluate(() => scrollTo(0, 0));
    await tabTo(page, '.skip');
    await page.keyboard.press('Enter');
    await tabTo(page, '#run-name');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('named by key');
    const renamed = page.waitForResponse((response) => response.request().method() === 'PATCH');
    await page.keyboard.press('Enter');
    assert.equal((await renamed).status(), 200);

    await tabTo(page, 'input[name="axis"]');
    await page.keyboard.press('ArrowRight');
    assert.match(page.url(), /axis=seconds/);
    await tabTo(page, '[data-layer="0"] .chart');
    await page.keyboard.press('Home');
    await page.waitForFunction(() => document.querySelector('[data-layer="0"] .at').textContent.startsWith('at step'));
    await tabTo(page, '[data-layer="0"] summary');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-layer="0"] tbody tr');
    await tabTo(page, '#trial-pad');
    for (const key of ['Space', 'ArrowDown', 'ArrowDown', 'Space']) await page.keyboard.press(key);
    await page.waitForSelector('#trial-answer:visible');
    await tabTo(page, '#weights-after');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /units=0:\d+/.test(location.search));
    await tabTo(page, '#knob-threshold');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /threshold: 1 → 2/.test(document.querySelector('#knobs-changes').textContent));
    assert.equal((await daemon.get('/api/v1/runs/1')).name, 'named by key');
});

test('the_focus_is_seen_wherever_it_is', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await everySection(page);
    await page.evaluate(() => scrollTo(0, 0));
    const unseen = new Set();
    for (let times = 0; times < 80; times++) {
        await page.keyboard.press('Tab');
        const bare = await page.evaluate(() => {
            const focused = document.activeElement;
            if (!focused || focused === document.body) return null;
            const shown = focused.matches('input[type="radio"]') ? focused.nextElementSibling : focused;
            const style = getComputedStyle(shown);
            const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
            return seen || style.boxShadow !== 'none' ? null : focused.outerHTML.slice(0, 120);
        });
        if (bare) unseen.add(bare);
    }
    assert.deepEqual([...unseen], []);
});

test('nothing_moves_for_who_wants_no_motion', async (t) => {
    const { page } = await openPage(t, { config: LONG, reducedMotion: 'reduce' });
    await drawn(page, 2);
    await everySection(page);
    const moving = await page.evaluate(() => [
        document.getAnimations().length,
        getComputedStyle(document.documentElement).scrollBehavior,
        [...document.querySelectorAll('*')].filter((each) => {
            const { transitionDuration, animationName } = getComputedStyle(each);
            return /[1-9]/.test(transitionDuration) || animationName !== 'none';
        }).length,
    ]);
    assert.deepEqual(moving, [0, 'auto', 0]);
});

test('a_queued_run_says_what_it_waits_for_in_every_section', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await daemon.post('/api/v1/runs', { config: SHORT });
    await page.goto(new URL('/?run=2&sample=test:3', page.url()).href);
    await stateIs(page, 'queued');
    for (const [section, sentence, text] of [
        ['[data-layer="0"]', '[data-layer="0"] .chart-empty', /turn/],
        ['#histograms', '#histograms-empty', /first images/],
        ['#errors', '#errors-empty', /when an epoch has been evaluated/],
        ['#confusion', '#confusion-empty', /when an epoch has been evaluated/],
        ['#trial', '#trial-error', /queued/],
        ['#weights', '#weights-error', /queued/],
        ['#knobs', '#knobs-why', /when it trains/],
        ['#timeline', '#timeline-empty', /while the run trains/],
    ]) {
        await page.locator(section).scrollIntoViewIfNeeded();
        await page.waitForFunction(
            ([at, pattern]) => new RegExp(pattern).test(document.querySelector(at)?.textContent),
            [sentence, text.source],
        );
    }
});
