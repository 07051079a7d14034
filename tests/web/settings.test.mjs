/* The page of settings: a note and a measured effect for every setting that the server has, and none besides. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { usualError, verdict } from '../../web/settings/figures.js';
import { BASES, EFFECTS, cellsOf } from '../bench/effects_table.mjs';
import { testReading } from './pages.mjs';
import { closeBrowser, openPage } from './support.mjs';

after(closeBrowser);

const WEB = new URL('../../web/', import.meta.url);
const EFFECTS_KEPT = JSON.parse(readFileSync(new URL('settings/effects.json', WEB), 'utf8'));

const ADDRESS = { address: '/settings.html' };
const filled = (page) => page.waitForSelector('#train_error_samples .measured');

test('every_setting_has_its_note_in_the_order_of_the_table_and_every_note_its_setting', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await filled(page);
    const { properties } = await daemon.get('/api/v1/config');
    const notes = await page.evaluate(() =>
        [...document.querySelectorAll('.rule')].map((article) => ({
            name: article.id,
            title: article.querySelector('h3').textContent,
            group: article.closest('.group').querySelector('h2').textContent,
            words: article.querySelector('p').textContent.split(/\s+/).length,
        })),
    );
    const groups = [...new Set(Object.values(properties).map((property) => property['x-group']))];
    const wanted = groups.flatMap((group) =>
        Object.entries(properties)
            .filter(([, property]) => property['x-group'] === group)
            .map(([name]) => ({ name, title: name, group })),
    );
    assert.deepEqual(
        notes.map(({ name, title, group }) => ({ name, title, group })),
        wanted,
    );
    for (const { name, words } of notes) assert.ok(words >= 15, `${name}: a note of ${words} words`);
});

test('every_setting_and_every_part_of_one_is_measured_and_nothing_else', async (t) => {
    const { daemon } = await openPage(t, ADDRESS);
    const { properties } = await daemon.get('/api/v1/config');
    const names = Object.entries(properties).flatMap(([name, property]) =>
        property.properties ? Object.keys(property.properties).map((part) => `${name}.${part}`) : [name],
    );
    assert.deepEqual([...new Set(EFFECTS.map(({ setting }) => setting))].sort(), names.sort());
});

test('what_is_kept_was_measured_of_the_table_as_it_is', () => {
    const kept = EFFECTS_KEPT.effects.map(({ setting, base, settings = {}, cells }) => ({
        setting,
        base,
        settings,
        cells: cells.map(({ value, beside = {}, runs }) => ({ value, beside, runs })),
    }));
    const wanted = EFFECTS.map((effect) => ({
        setting: effect.setting,
        base: effect.base,
        settings: effect.settings ?? {},
        cells: cellsOf(effect).map(({ value, beside = {}, configs }) => ({ value, beside, runs: configs.length })),
    }));
    assert.deepEqual(kept, wanted, 'tests/bench/run effects measures anew');
    assert.deepEqual(EFFECTS_KEPT.bases, BASES);
    for (const { setting, shows, cells } of EFFECTS_KEPT.effects)
        for (const cell of cells)
            for (const name of shows) assert.ok(Number.isFinite(cell[name].mean), `${setting}: ${name}`);
});

test('every_run_of_the_table_is_one_that_the_program_takes', (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'goodness-effects-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const configs = EFFECTS.flatMap((effect) => cellsOf(effect).map(({ configs: [config] }) => config));
    const files = configs.map((config, i) => {
        const file = path.join(folder, `${i}.json`);
        /* MNIST need not be here, and only what is asked for matters. */
        writeFileSync(file, JSON.stringify({ config: { ...config, dataset: 'fashion-mnist', epochs: 0 } }));
        return file;
    });
    while (files.length) {
        const some = files.splice(0, 60); /* it takes 64 arguments */
        const { status, stderr } = spawnSync(process.env.GOODNESS, ['train', ...some], { maxBuffer: 1 << 30 });
        assert.equal(status, 0, String(stderr));
    }
});

const cell = (value, mean, error, runs = 3) => ({ value, runs, error: { mean, error } });
const effect = (cells, same_weights = false) => ({ setting: 'alpha', base: 'pairs', shows: ['error'], same_weights, cells });

test('a_difference_is_called_seen_when_it_is_three_standard_errors_and_more', () => {
    const seen = verdict(effect([cell(1, 0.2, 0.003), cell(4, 0.25, 0.004)]), 0);
    assert.equal(seen, 'Seen: alpha 4 has 5.0 ± 0.5 points more error than 1.');
    const unseen = verdict(effect([cell(1, 0.2, 0.01), cell(4, 0.22, 0.01)]), 0);
    assert.equal(unseen, 'No effect on the error is seen: the largest difference is 2.0 ± 1.4 points.');
});

test('runs_that_lie_together_by_chance_are_no_surer_than_others', () => {
    const told = verdict(effect([cell(1, 0.2, 0.0001), cell(4, 0.22, 0.0001)]), 0.01);
    assert.match(told, /^No effect on the error is seen/);
    const errors = [0.1, 0.0001, 0.02].map((error) => cell(1, 0.2, error));
    assert.equal(usualError({ bases: {}, effects: [effect(errors)] }, 'pairs'), 0.02);
    assert.equal(usualError({ bases: {}, effects: [effect(errors)] }, 'symba'), 0, 'of its own base only');
});

test('what_changes_no_weight_is_told_so', () => {
    assert.match(verdict(effect([cell(1, 0.2, 0.01), cell(4, 0.2, 0.01)], true), 0), /same to the last bit .* same too/);
    assert.match(verdict(effect([cell(1, 0.2, 0.001), cell(4, 0.3, 0.001)], true), 0), /same to the last bit .* Seen/);
});

test('single_runs_tell_how_far_apart_they_lie', () => {
    const told = verdict(effect([cell(1, 0.2, undefined, 1), cell(2, 0.22, undefined, 1)]), 0);
    assert.match(told, /^Standard deviation between runs: 1\.4 points/);
});

test('the_form_leads_to_the_note_of_each_setting', async (t) => {
    const { page } = await openPage(t);
    await page.keyboard.press('n');
    await page.waitForSelector('#start-settings');
    await page.click('#start-settings summary');
    const links = await page.evaluate(() =>
        [...document.querySelectorAll('#start-settings [data-setting]')].map((field) => [
            field.dataset.setting.split('.')[0],
            field.querySelector('.note a').getAttribute('href'),
        ]),
    );
    assert.ok(links.length > 40);
    for (const [name, address] of links) assert.equal(address, `/settings.html#${name}`);
    const [note] = await Promise.all([
        page.context().waitForEvent('page'),
        page.click('[data-setting="dropout.units"] .note a'),
    ]);
    await filled(note);
    await note.waitForFunction(() => {
        const { top, bottom } = document.getElementById('dropout').getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
    });
});

test('notes_lead_to_the_mathematics_and_back_and_nowhere_else', async (t) => {
    const { page } = await openPage(t, ADDRESS);
    await filled(page);
    const broken = await page.evaluate(() =>
        [...document.querySelectorAll('main a[href^="#"]')]
            .map((link) => link.hash.slice(1))
            .filter((id) => !document.getElementById(id)),
    );
    assert.deepEqual(broken, []);
    await page.click('#alpha .facts a');
    await page.waitForSelector('#setting-alpha a');
    await page.click('#setting-alpha th a');
    await page.waitForURL((at) => at.pathname === '/settings.html' && at.hash === '#alpha');
});

testReading(ADDRESS.address, filled);
