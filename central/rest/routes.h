/* central/rest/routes.h - the handlers, one file a resource. routes.c says which path leads to
 * which. */
#ifndef CENTRAL_REST_ROUTES_H
#define CENTRAL_REST_ROUTES_H

#include "central/rest/call.h"

/* chargers.c */
void rest_list_chargers(struct rest_call *call);
void rest_get_charger(struct rest_call *call);
void rest_create_charger(struct rest_call *call);
void rest_update_charger(struct rest_call *call);
void rest_delete_charger(struct rest_call *call);
/* access.c */
void rest_get_security(struct rest_call *call);
void rest_update_security(struct rest_call *call);
void rest_put_password(struct rest_call *call);
void rest_delete_password(struct rest_call *call);
void rest_rotate_password(struct rest_call *call);
/* knocking.c */
void rest_list_knocking(struct rest_call *call);
void rest_get_knocking(struct rest_call *call);
void rest_adopt(struct rest_call *call);
void rest_list_boot_rules(struct rest_call *call);
void rest_put_boot_rule(struct rest_call *call);
void rest_delete_boot_rule(struct rest_call *call);
/* certificates.c */
void rest_list_certificates(struct rest_call *call);
void rest_get_certificate(struct rest_call *call);
void rest_revoke_certificate(struct rest_call *call);
void rest_give_certificate(struct rest_call *call);
void rest_get_authority(struct rest_call *call);
void rest_get_crl(struct rest_call *call);
void rest_install_certificate(struct rest_call *call);
void rest_renew_certificate(struct rest_call *call);
/* connections.c */
void rest_list_connections(struct rest_call *call);
void rest_list_refusals(struct rest_call *call);
/* transactions.c */
void rest_list_transactions(struct rest_call *call);
void rest_get_transaction(struct rest_call *call);
/* readings.c */
void rest_list_readings(struct rest_call *call);
void rest_list_charger_readings(struct rest_call *call);
/* repairs.c */
void rest_repair(struct rest_call *call);
/* attention.c */
void rest_list_attention(struct rest_call *call);
void rest_list_power(struct rest_call *call);
/* messages.c */
void rest_list_messages(struct rest_call *call);
/* operations.c, commands.c */
void rest_operation(struct rest_call *call);
void rest_remote_stop(struct rest_call *call);
void rest_send_command(struct rest_call *call);
void rest_file_operation(struct rest_call *call);
/* file_routes.c */
void rest_list_files(struct rest_call *call);
void rest_upload_file(struct rest_call *call);
void rest_get_file(struct rest_call *call);
void rest_delete_file(struct rest_call *call);
void rest_get_file_content(struct rest_call *call);
void rest_fetch_file(struct rest_call *call);
void rest_bring_file(struct rest_call *call);
/* batch_routes.c */
void rest_list_batches(struct rest_call *call);
void rest_create_batch(struct rest_call *call);
void rest_get_batch(struct rest_call *call);
void rest_cancel_batch(struct rest_call *call);
/* configuration.c */
void rest_list_configuration(struct rest_call *call);
void rest_get_configuration_key(struct rest_call *call);
void rest_put_configuration_key(struct rest_call *call);
void rest_list_commands(struct rest_call *call);
void rest_get_command(struct rest_call *call);
void rest_cancel_command(struct rest_call *call);
/* tags.c */
void rest_list_tags(struct rest_call *call);
void rest_get_tag(struct rest_call *call);
void rest_put_tag(struct rest_call *call);
void rest_delete_tag(struct rest_call *call);
/* tag_files.c */
void rest_put_tags(struct rest_call *call);
void rest_import_tags(struct rest_call *call);
void rest_export_tags(struct rest_call *call);
/* reservations.c */
void rest_list_reservations(struct rest_call *call);
void rest_reserve(struct rest_call *call);
void rest_get_reservation(struct rest_call *call);
void rest_cancel_reservation(struct rest_call *call);
/* local_lists.c */
void rest_list_local_lists(struct rest_call *call);
void rest_get_local_list(struct rest_call *call);
void rest_put_local_list(struct rest_call *call);
void rest_delete_local_list(struct rest_call *call);
void rest_list_local_list_tags(struct rest_call *call);
void rest_change_local_list(struct rest_call *call);
/* charger_lists.c */
void rest_get_charger_list(struct rest_call *call);
void rest_put_charger_list(struct rest_call *call);
void rest_delete_charger_list(struct rest_call *call);
void rest_send_charger_list(struct rest_call *call);
/* profiles.c */
void rest_list_profiles(struct rest_call *call);
void rest_get_profile(struct rest_call *call);
void rest_put_profile(struct rest_call *call);
void rest_delete_profile(struct rest_call *call);
/* charger_profiles.c */
void rest_list_installed(struct rest_call *call);
void rest_apply_profile(struct rest_call *call);
void rest_clear_installed(struct rest_call *call);
void rest_remote_start(struct rest_call *call);
/* quirks.c */
void rest_list_quirks(struct rest_call *call);
void rest_get_quirk(struct rest_call *call);
void rest_put_quirk(struct rest_call *call);
void rest_delete_quirk(struct rest_call *call);
void rest_get_traits(struct rest_call *call);
/* sessions.c, users.c */
void rest_log_in(struct rest_call *call);
void rest_log_out(struct rest_call *call);
void rest_set_up(struct rest_call *call);
void rest_get_me(struct rest_call *call);
void rest_list_users(struct rest_call *call);
void rest_create_user(struct rest_call *call);
void rest_update_user(struct rest_call *call);
/* What an account may be called and how short its password may be; false: a problem was answered.
 */
bool rest_sound_login(struct rest_call *call, struct amp_text login);
bool rest_sound_password(struct rest_call *call, struct amp_text password);
/* socket.c, events.c */
void rest_live(struct rest_call *call);
void rest_events(struct rest_call *call);
/* nodes.c */
void rest_list_nodes(struct rest_call *call);
/* openapi.c, health.c, page.c */
void rest_openapi(struct rest_call *call);
void rest_healthz(struct rest_call *call);
void rest_readyz(struct rest_call *call);
void rest_metrics(struct rest_call *call);
void rest_page(struct rest_call *call);
void rest_asset(struct rest_call *call);
void rest_setup_page(struct rest_call *call);

#endif
