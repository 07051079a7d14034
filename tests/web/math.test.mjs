/* The page of mathematics in a real browser. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testReading } from './pages.mjs';
import { closeBrowser, openPage } from './support.mjs';

after(closeBrowser);

const ADDRESS = { address: '/math.html' };

const listed = (page) => page.waitForSelector('#settings-rows tr');

test('every_formula_is_drawn_as_mathematics', async (t) => {
    const { page, url } = await openPage(t, ADDRESS);
    await listed(page);
    const text = await (await fetch(`${url}/math.html`)).text();
    const formulas = [...text.matchAll(/<code class="formula">/g)].length;
    const sizes = await page.evaluate(() =>
        [...document.querySelectorAll('.formula math')].map((math) => {
            const { width, height } = math.getBoundingClientRect();
            return Math.min(width, height);
        }),
    );
    assert.ok(formulas > 60);
    assert.equal(sizes.length, formulas);
    assert.ok(Math.min(...sizes) > 8, 'none is empty');
});

test('every_setting_of_the_server_is_listed_and_those_of_formulas_lead_to_it', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await listed(page);
    const { properties } = await daemon.get('/api/v1/config');
    const rows = await page.evaluate(() => [...document.querySelectorAll('#settings-rows tr')].map(({ id }) => id));
    assert.deepEqual(
        rows,
        Object.keys(properties).map((name) => `setting-${name}`),
    );
    const broken = await page.evaluate(() =>
        [...document.querySelectorAll('main a[href^="#"]')]
            .map((link) => link.hash.slice(1))
            .filter((id) => !document.getElementById(id)),
    );
    assert.deepEqual(broken, [], 'no link leads nowhere: no formula names a setting that is not there');
    const named = await page.evaluate(() => [
        ...new Set([...document.querySelectorAll('.rule .setting')].map((code) => code.textContent)),
    ]);
    const groups = [
        'Network',
        'Input',
        'Rule',
        'Optimizer',
        'Regularization',
        'Prediction',
        'Read-out',
        'Evaluation',
    ];
    const wanted = Object.entries(properties).filter(([, property]) => groups.includes(property['x-group']));
    assert.deepEqual(
        wanted.map(([name]) => name).filter((name) => !named.includes(name)),
        [],
        'every setting of the mathematics stands at a formula',
    );
});

test('every_rule_says_its_settings_its_source_and_what_to_watch_for', async (t) => {
    const { page } = await openPage(t, ADDRESS);
    await listed(page);
    const rules = await page.evaluate(() =>
        [...document.querySelectorAll('.rule')].map((rule) => [
            rule.id,
            [...rule.querySelectorAll('.facts div')].map((fact) =>
                fact.lastElementChild.textContent.trim() ? fact.firstElementChild.textContent : '',
            ),
        ]),
    );
    for (const [id, facts] of rules) assert.deepEqual(facts, ['Settings', 'Source', 'Watch for'], id);
});

test('a_setting_is_found_from_its_formula_and_the_formula_from_the_setting', async (t) => {
    const { page } = await openPage(t, ADDRESS);
    await listed(page);
    await page.focus('#symba .facts a[href="#setting-alpha"]');
    await page.keyboard.press('Enter');
    const near = (id) =>
        page.waitForFunction((at) => {
            const { top, bottom } = document.getElementById(at).getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        }, id);
    await near('setting-alpha');
    await page.click('#setting-alpha a[href="#symba"]');
    await near('symba');
});

testReading(ADDRESS.address, listed);
