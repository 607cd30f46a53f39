/** What `trust` leaves to people: how programs and systems are told of a root that it does not reach. Pure. */

/** For programs of this machine; `file` is the root where all may read it. */
export function hereByHand(file: string): string {
  return `Programs that run read their roots once: start them anew. These have roots of their own:
  Firefox       its settings, "View Certificates", "Authorities"; or for everybody
                in /etc/firefox/policies/policies.json:
                {"policies":{"Certificates":{"Install":["${file}"]}}}
  Chromium      once it ran, as each user: certutil -d sql:$HOME/.pki/nssdb
                -A -t C,, -n understudy -i ${file}
  Node.js       NODE_EXTRA_CA_CERTS=${file}
  Deno          DENO_TLS_CA_STORE=system,mozilla
  Java          keytool -importcert -cacerts -noprompt -alias understudy
                -file ${file}
`;
}

/** For other machines. */
export const ELSEWHERE =
  `On other machines, with the root as understudy.crt, from the admin page or of
understudy trust --print > understudy.crt
  Debian        sudo install -m 644 understudy.crt /usr/local/share/ca-certificates/
                sudo update-ca-certificates
  Fedora        sudo install -m 644 understudy.crt /etc/pki/ca-trust/source/anchors/
                sudo update-ca-trust extract
  macOS         sudo security add-trusted-cert -d -r trustRoot
                -k /Library/Keychains/System.keychain understudy.crt
  Windows       certutil -addstore -f ROOT understudy.crt   (as administrator)
  iPhone, iPad  open the file; Settings > General > VPN & Device Management >
                Install; General > About > Certificate Trust Settings: turn it on
  Android       Settings, search "CA certificate" > Install anyway; browsers then
                trust it, most apps do not
`;
