/* Runs quotes of a folder through the npm package of dcap-qvl. Reads lines "NAME ROOT" on standard
 * input, where NAME is a prefix written by `tacit sim quote --out` and ROOT is "sim" (the root
 * beside the quote), "intel" (the package's own) or "pccs URL" (the simulator's root, collateral
 * fetched from URL). Prints one line each: "NAME ROOT accepted STATUS" or "NAME ROOT refused WHY". */
import {createRequire} from 'node:module';
import fs from 'node:fs';
import readline from 'node:readline';

const require = createRequire(process.argv[2] + '/');
const qvl = require('@phala/dcap-qvl');

function fromPem(text)
{
    return Buffer.from(text.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}

/* The compact JSON has hex where the package wants octets. */
function collateralOf(name)
{
    const c = JSON.parse(fs.readFileSync(name + '.collateral.json'));

    for (const member of ['root_ca_crl', 'pck_crl', 'tcb_info_signature', 'qe_identity_signature'])
        if (c[member] !== undefined)
            c[member] = Buffer.from(c[member], 'hex');
    return c;
}

async function judge(name, root, url)
{
    const quote = fs.readFileSync(name + '.quote');
    const der = fromPem(fs.readFileSync(name + '.root.pem', 'utf8'));
    const verifier = root === 'intel' ? qvl.QuoteVerifier.newProd()
                                      : qvl.QuoteVerifier.newWithRootCa(der);
    const collateral = root === 'pccs' ? await qvl.getCollateral(url, quote) : collateralOf(name);

    return verifier.verify(quote, collateral, Math.floor(Date.now() / 1000)).status;
}

for await (const line of readline.createInterface({input: process.stdin})) {
    const [name, root, url] = line.split(' ');

    try {
        console.log(`${name} ${root} accepted ${await judge(name, root, url)}`);
    } catch (e) {
        console.log(`${name} ${root} refused ${String(e.message).split('\n')[0]}`);
    }
}
