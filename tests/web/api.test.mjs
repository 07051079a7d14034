/* The page of the REST interface in a real browser, and every line of it in a real shell. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { assertAccessible, isWide } from './pages.mjs';
import { closeBrowser, Daemon, LONG, openBrowser, openPage, SHORT } from './support.mjs';

after(closeBrowser);

const ADDRESS = { address: '/api.html' };

const shown = (page) => page.waitForSelector('.operation');

/** Every line of the page: the operation it is of, and the text that is copied. */
const linesOf = (page) =>
    page.evaluate(() =>
        [...document.querySelectorAll('.operation .curl')].map((code) => ({
            operation: code.closest('.operation').id,
            line: code.textContent,
        })),
    );

/** Run a line as it stands, but that curl says the status too; a stream is left after its first event. */
function runLine(line, folder, streams, environment = {}) {
    const mark = ' -sS -w "%{stderr}status %{http_code}\\n"';
    const child = spawn('bash', ['-c', 'exec ' + line.replace(/^curl/, `curl${mark}`)], {
        cwd: folder,
        env: { ...process.env, ...environment },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => {
        output += data;
        if (streams && /^data: .+$/m.test(output)) child.kill();
    });
    child.stderr.on('data', (data) => (errors += data));
    return new Promise((resolve) =>
        child.on('close', () => resolve({ output, errors, status: Number(/status (\d+)/.exec(errors)?.[1] ?? 0) })),
    );
}

async function untilState(daemon, id, states) {
    for (;;) {
        const run = await daemon.get(`/api/v1/runs/${id}`);
        if (states.includes(run.state)) return run;
    }
}

/** What the newest run must be for a line to make sense; `latest` is what the lines name. */
const WANTED = {
    'changeRun': 'running',
    'pauseRun': 'running',
    'resumeRun': 'paused',
    'resumeRun with epochs': 'stopped',
    'stopRun': 'running',
    'deleteRun': 'stopped',
};

/** Bring the newest run into this state, on a daemon whose other runs have ended. */
async function bring(daemon, wanted) {
    const { runs } = await daemon.get('/api/v1/runs');
    for (const each of runs.slice(1)) await daemon.post(`/api/v1/runs/${each.id}/stop`);
    const newest = runs[0];
    const trained = newest.config.layers.length > 1 && newest.progress.step > 0;
    if (trained && (newest.state === wanted || (!wanted && newest.state !== 'queued'))) return;
    await daemon.post(`/api/v1/runs/${newest.id}/stop`);
    const { id } = await daemon.post('/api/v1/runs', { config: wanted === 'finished' ? SHORT : LONG });
    while ((await daemon.get(`/api/v1/runs/${id}`)).progress.step === 0);
    if (wanted === 'paused') await daemon.post(`/api/v1/runs/${id}/pause`);
    if (wanted === 'stopped') await daemon.post(`/api/v1/runs/${id}/stop`);
    if (wanted) await untilState(daemon, id, [wanted]);
}

test('every_line_of_the_page_works_against_this_very_server', { timeout: 600000 }, async (t) => {
    const { page, daemon, url } = await openPage(t, { ...ADDRESS, config: LONG });
    const folder = mkdtempSync(path.join(tmpdir(), 'goodness-curl-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    await shown(page);
    /* What deletes comes last: other lines name runs by number. */
    const lines = (await linesOf(page)).sort(
        (a, b) => (a.operation === 'deleteRun') - (b.operation === 'deleteRun'),
    );
    const api = await daemon.get('/api/v1/openapi.json');
    const operations = Object.values(api.paths).flatMap((item) =>
        Object.values(item).map((each) => each.operationId),
    );
    const shownOnes = [...new Set(lines.map(({ operation }) => operation))];
    assert.deepEqual(shownOnes.sort(), operations.filter((each) => each !== 'signIn').sort());
    assert.match(await page.locator('#signIn').innerText(), /without a token/);
    for (const { operation, line } of lines) {
        const streams = line.startsWith('curl -N');
        const name = operation + (line.includes('"epochs"') ? ' with epochs' : '');
        const wanted = WANTED[name] ?? (line.includes('/latest') ? 'finished' : undefined);
        assert.ok(line.includes(url), line);
        await bring(daemon, wanted);
        const answer = runLine(line, folder, streams);
        let answered = false;
        answer.then(() => (answered = true));
        /* A stream of all runs is silent until something happens. */
        for (let i = 0; operation === 'watchAll' && !answered; i++)
            await daemon.patch('/api/v1/runs/latest', { notes: `something happens, ${i}` });
        const { status, output, errors } = await answer;
        if (streams) assert.match(output, /^event: state$/m, `${line}: ${errors}`);
        else assert.ok(status >= 200 && status < 300, `${line}: ${status} ${output} ${errors}`);
    }
});

test('where_there_is_a_token_lines_bear_it', async (t) => {
    const daemon = new Daemon();
    t.after(() => daemon.remove());
    const [token, file] = ['correct-horse-battery-staple', path.join(daemon.folder, 'token')];
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    await daemon.start(['--token-file', file]);
    const context = await (await openBrowser()).newContext();
    t.after(() => context.close());
    assert.equal((await context.request.post(`${daemon.url}/api/v1/login`, { data: { token } })).status(), 204);
    const page = await context.newPage();
    await page.goto(`${daemon.url}/api.html`);
    await shown(page);
    assert.ok(await page.locator('#token-note').isVisible());
    const lines = (await linesOf(page)).filter(({ operation }) =>
        ['listRuns', 'getVersion', 'signIn'].includes(operation),
    );
    assert.equal(lines.length, 4);
    for (const { operation, line } of lines) {
        const { status } = await runLine(line, daemon.folder, false, { GOODNESS_TOKEN: token });
        assert.equal(status, operation === 'signIn' ? 204 : 200, line);
        if (operation !== 'signIn') assert.equal((await runLine(line, daemon.folder, false)).status, 401, line);
    }
});

test('the_page_has_every_operation_with_its_parameters_and_answers', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await shown(page);
    const api = await daemon.get('/api/v1/openapi.json');
    for (const [where, item] of Object.entries(api.paths)) {
        for (const [method, operation] of Object.entries(item)) {
            const text = await page.locator(`#${operation.operationId}`).textContent();
            assert.ok(text.startsWith(`${method.toUpperCase()} ${where}`), where);
            for (const parameter of operation.parameters ?? []) {
                const name = parameter.name ?? parameter.$ref.split('/').at(-1);
                const { name: shownName } = parameter.$ref ? api.components.parameters[name] : parameter;
                assert.ok(text.includes(shownName), `${operation.operationId}: ${shownName}`);
            }
            for (const status of Object.keys(operation.responses).filter((each) => each !== 'default'))
                assert.ok(text.includes(status), `${operation.operationId}: ${status}`);
        }
    }
    for (const name of Object.keys(api.components.schemas)) await page.waitForSelector(`#schema-${name}`);
    const broken = await page.evaluate(() =>
        [...document.querySelectorAll('main a[href^="#"]')]
            .map((link) => link.hash.slice(1))
            .filter((id) => !document.getElementById(id)),
    );
    assert.deepEqual(broken, [], 'no link leads nowhere');
});

test('a_line_is_copied_as_it_stands', async (t) => {
    const { page, url } = await openPage(t, ADDRESS);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await shown(page);
    await page.click('#getRun .curl-box button');
    await page.waitForFunction(() => document.querySelector('#getRun .curl-box button').textContent === 'Copied');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `curl ${url}/api/v1/runs/latest`);
});

test('a_resource_is_found_by_key_and_words_and_what_is_not_there_is_said', async (t) => {
    const { page } = await openPage(t, ADDRESS);
    await shown(page);
    await page.keyboard.press('/');
    await page.keyboard.type('get weights');
    const visible = () =>
        page.evaluate(() =>
            [...document.querySelectorAll('.operation')]
                .filter((each) => each.checkVisibility())
                .map(({ id }) => id),
        );
    assert.deepEqual(await visible(), ['getWeights']);
    await page.keyboard.type(' nowhere');
    assert.match(await page.locator('#none').innerText(), /nowhere/);
    await page.fill('#find', '');
    assert.ok((await visible()).length > 40);
});

test('the_address_names_a_resource', async (t) => {
    const { page } = await openPage(t, { address: '/api.html#predict' });
    await shown(page);
    await page.waitForFunction(
        () => Math.abs(document.querySelector('#predict').getBoundingClientRect().top) < 200,
    );
    await page.click('#predict summary');
    await page.click('#predict a[href="#schema-Prediction"]');
    await page.waitForFunction(
        () => Math.abs(document.querySelector('#schema-Prediction').getBoundingClientRect().top) < 900,
    );
});

test('a_server_that_does_not_answer_is_said', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await shown(page);
    await page.route('**/api/v1/openapi.json', (route) => route.abort());
    await page.reload();
    await page.waitForSelector('#problem:visible');
    assert.match(await page.locator('#problem').innerText(), /does not answer/);
    assert.ok(daemon.url);
});

for (const width of [360, 1280, 2560])
    test(`nothing_is_wider_than_a_window_of_${width}_pixels`, async (t) => {
        const { page } = await openPage(t, { ...ADDRESS, width });
        await shown(page);
        await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
        assert.equal(await isWide(page), false);
    });

for (const colorScheme of ['light', 'dark'])
    test(`axe_finds_nothing_serious_in_${colorScheme}`, async (t) => {
        const { page } = await openPage(t, { ...ADDRESS, colorScheme, config: SHORT });
        await shown(page);
        /* All sections are made alike; axe takes minutes for the hundred of them. */
        for (const words of ['predict', 'runs/{id} metrics']) {
            await page.fill('#find', words);
            await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
            await assertAccessible(page, words);
        }
    });
