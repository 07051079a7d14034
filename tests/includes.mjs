#!/usr/bin/env node
/* includes.mjs - who includes whom in core/ and server/, as a graph of groups; an include against the arrows is an error.
 *
 *     tests/includes.mjs [--files]
 *
 * Prints a line a group: whom it includes, and how many times; with --files a line a file. Exit status 1 when a file
 * includes what its group must not, or stands in no group. */

import { readFileSync, readdirSync } from 'node:fs';

/**
 * The groups from the top down; `may` are those that a group may include beside itself. A file is the one of the first group
 * whose pattern fits.
 * @type {Record<string, Record<string, {files: RegExp, may: string[]}>>}
 */
const FOLDERS = {
    core: {
        all: { files: /^goodness$/, may: ['trainer', 'checkpoint', 'message', 'config', 'basics'] },
        trainer: { files: /^(trainer.*|network|control|timeline)$/, may: ['line', 'checkpoint', 'layer', 'message', 'rules', 'config', 'basics'] },
        line: { files: /^(source|stage|sink|pace|figures|line|packet|course|crew.*|worker)$/, may: ['layer', 'message', 'rules', 'config', 'basics'] },
        checkpoint: { files: /^(checkpoint.*|safetensors.*)$/, may: ['layer', 'message', 'config', 'basics'] },
        layer: {
            files: /^(layer.*|dense.*|convolution.*|readout|linear|backprop|normalization|panels)$/,
            may: ['message', 'rules', 'config', 'basics'],
        },
        message: { files: /^(message|channel|ranks.*|team|input|observer|prediction)$/, may: ['config', 'basics'] },
        rules: { files: /^(objective|optimizer|dropout|negatives|augment|hybrid|placement)$/, may: ['config', 'basics'] },
        config: { files: /^(config.*|preset|problems|plan|dataset|idx|npz)$/, may: ['basics'] },
        basics: {
            files: /^(activation|blas|bytes|column_kernels|error|files|histogram|kernels.*|machine|memory|patches|random|sha256|shape|spin|utf8)$/,
            may: [],
        },
    },
    server: {
        main: { files: /^main$/, may: ['api', 'commands', 'session', 'hub', 'store', 'http', 'run', 'basics', 'core'] },
        api: {
            files: /^(api.*|answers|compare|event_.*|openapi|run_request)$/,
            may: ['session', 'hub', 'store', 'http', 'run', 'basics', 'core'],
        },
        commands: { files: /^(train.*|evaluate|check(?!point).*)$/, may: ['api', 'store', 'run', 'basics', 'core'] },
        session: { files: /^session.*$/, may: ['hub', 'store', 'run', 'basics', 'core'] },
        hub: { files: /^hub$/, may: ['run', 'basics', 'core'] },
        store: { files: /^store.*$/, may: ['run', 'basics', 'core'] },
        http: {
            files: /^(http.*|router|request|response|admission|arrival|gate|head|listen|sign_in|stream|tally|waiting)$/,
            may: ['basics', 'core'],
        },
        run: { files: /^(run|confusion|histograms|series|textlog|catalog.*|checkpoint_pace)$/, may: ['basics', 'core'] },
        basics: {
            files: /^(assets|digits|json.*|log|machine|notify|options.*|prometheus|ranks_.*|second_name|signals|text|thread|timing|together|token)$/,
            may: ['core'],
        },
    },
};

/** Libraries that only some files know, and why. @type {[RegExp, RegExp, string][]} */
const LIBRARIES = [
    [/^cjson\//, /^(core\/(goodness|config|problems|checkpoint_text|safetensors_write)|server\/)/, 'in core only settings and checkpoints know JSON'],
    [/^mpi\.h$/, /^server\/ranks_mpi/, 'only what carries parcels between ranks knows MPI'],
    [/^sqlite3\.h$/, /^server\/(store|check|main|api_version)/, 'only the store knows SQL'],
    [/^microhttpd\.h$/, /^server\/(http|head|waiting|main|api_version)/, 'only http knows libmicrohttpd'],
];

const moduleOf = (/** @type {string} */ file) => file.replace(/\.[ch]$/, '');

/** @param {string} folder @param {string} file */
const groupOf = (folder, file) =>
    Object.entries(FOLDERS[folder]).find(([, { files }]) => files.test(moduleOf(file)))?.[0] ?? null;

const filesOf = (/** @type {string} */ folder) =>
    readdirSync(new URL(`../${folder}/`, import.meta.url)).filter((name) => /\.[ch]$/.test(name));

/** @param {string} folder @param {string} file */
const includesOf = (folder, file) =>
    [...readFileSync(new URL(`../${folder}/${file}`, import.meta.url), 'utf8').matchAll(/^#\s*include\s*["<]([^">]+)[">]/gm)].map(
        ([, name]) => name,
    );

const known = Object.fromEntries(Object.keys(FOLDERS).map((folder) => [folder, new Set(filesOf(folder))]));

/** Files of core/ that handle JSON, by its name: config.h brings it to many more. */
const MAY_HANDLE_JSON = /^(config.*|preset|problems|checkpoint_text|safetensors_write|goodness)$/;

/** Where a header lies, seen from a folder. @param {string} name */
const folderOf = (name) => Object.keys(FOLDERS).find((folder) => known[folder].has(name)) ?? null;

const wrong = [];
/** @type {Map<string, Map<string, number>>} */
const arrows = new Map();

/** @param {string} from @param {string} to */
function count(from, to) {
    const found = arrows.get(from) ?? new Map();
    arrows.set(from, found.set(to, (found.get(to) ?? 0) + 1));
}

/** @param {string} folder @param {string} file @param {string} group @param {string} name */
function judge(folder, file, group, name) {
    const other = folderOf(name);
    for (const [library, allowed, why] of LIBRARIES)
        if (library.test(name) && !allowed.test(`${folder}/${file}`))
            wrong.push(`${folder}/${file} includes <${name}>: ${why}`);
    if (!other) return;
    const to = other === folder ? groupOf(other, name) : other;
    if (!to || to === group) return;
    if (process.argv.includes('--files')) count(`${folder}/${file}`, other === folder ? name : `${other}/${name}`);
    else count(`${folder}: ${group}`, to);
    if (!FOLDERS[folder][group].may.includes(to))
        wrong.push(
            `${folder}/${file} includes ${name}: ${group} must not know ${to}; ` +
                `it may include ${FOLDERS[folder][group].may.join(', ') || 'nothing'}`,
        );
}

for (const folder of Object.keys(FOLDERS))
    for (const group of Object.keys(FOLDERS[folder]))
        for (const file of known[folder]) {
            if (groupOf(folder, file) !== group) continue;
            for (const name of includesOf(folder, file)) judge(folder, file, group, name);
        }
for (const folder of Object.keys(FOLDERS))
    for (const file of known[folder])
        if (!groupOf(folder, file))
            wrong.push(`${folder}/${file} stands in no group: say in tests/includes.mjs to which it belongs`);

for (const file of known.core)
    if (!MAY_HANDLE_JSON.test(moduleOf(file)) && /\bcJSON/.test(readFileSync(new URL(`../core/${file}`, import.meta.url), 'utf8')))
        wrong.push(`core/${file} handles JSON: in core only settings and checkpoints do`);

for (const [from, found] of arrows)
    console.log(`${from} → ${[...found].map(([to, times]) => (times > 1 ? `${to} (${times})` : to)).join(', ')}`);
for (const sentence of wrong) console.error(sentence);
process.exitCode = wrong.length ? 1 : 0;
